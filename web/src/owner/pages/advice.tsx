/** Recommendations: the card with done, not now and why, and the list of all that are open. */
import { useState } from "preact/hooks";
import { post, replaying } from "../../shared/api.ts";
import { useGet } from "../../shared/hooks.ts";
import { date, language, money, number, t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { Link } from "../../shared/router.tsx";
import { Act, Card, Chip, Data, Empty, Field, Form, Page, Sheet, numeric, toast, type Values } from "../../shared/ui.tsx";
import type { Advice, Executed, List, Today } from "../types.ts";

export function AdvicePage() {
  const open = useGet<List<Advice>>("/recommendations?limit=50");
  return (
    <Page title={t("advice.title")}>
      <Data of={open}>
        {(found) =>
          found.results.length === 0 ? (
            <Nothing />
          ) : (
            found.results.map((advice) => <AdviceCard key={advice.id} of={advice} again={open.again} />)
          )
        }
      </Data>
    </Page>
  );
}

/** Why there is no advice, and what to do about it: the books may be old or empty. */
function Nothing() {
  const today = useGet<Today>("/today");
  return (
    <Data of={today}>
      {(of) => (
        <Empty icon={of.stale ? "clock" : "check"} title={of.message ?? t("today.nothing")}>
          {of.suggestions.map((text) => (
            <p key={text}>{text}</p>
          ))}
        </Empty>
      )}
    </Data>
  );
}

export function AdviceCard({ of, again }: { of: Advice; again: () => void }) {
  const [doing, setDoing] = useState(false);
  const later = async () => {
    await post(`/recommendations/${of.id}/dismiss`, { reason: t("advice.later") });
    toast(t("advice.muted"));
    again();
  };
  const waits = ["pending", "viewed"].includes(of.status);
  return (
    <Card tone={`advice ${of.urgency}`}>
      <div class="card-head">
        <h3>{of.title}</h3>
        {of.urgency === "high" && <Chip tone="bad">{t("urgent")}</Chip>}
      </div>
      {of.stake && of.stake.amount > 0 && (
        <p>
          <span class="stake num">{money(of.stake.amount)}</span>
          <small class="soft">{of.stake.how}</small>
        </p>
      )}
      <p>{of.description}</p>
      {!waits && <Chip>{t(`status.${of.status}`)}</Chip>}
      {!replaying() && (
        <div class="buttons">
          {waits && (
            <button type="button" class="primary small" onClick={() => setDoing(true)}>
              <Icon name="check" /> {t("advice.do")}
            </button>
          )}
          {waits && (
            <Act class="quiet small" done={later}>
              {t("advice.later")}
            </Act>
          )}
          <Link class="icon" to={`/why/recommendation/${of.id}`}>
            {t("why")}
          </Link>
        </div>
      )}
      {doing && <Doing of={of} close={() => setDoing(false)} again={again} />}
    </Card>
  );
}

function Doing({ of, close, again }: { of: Advice; close: () => void; again: () => void }) {
  const [done, setDone] = useState<Executed>();
  const quantity = of.type === "reorder" ? of.action_data.recommended_qty : undefined;
  const execute = async (values: Values) => {
    const changed = numeric(values, "quantity");
    const other = changed !== undefined && changed !== quantity;
    setDone(await post<Executed>(`/recommendations/${of.id}/execute`, { confirmation: true, ...(other ? { modified_action: { recommended_qty: changed } } : {}) }));
  };
  const finish = () => {
    close();
    if (done) again();
  };
  return (
    <Sheet title={of.title} close={finish}>
      {done ? (
        <Done of={done} close={finish} />
      ) : (
        <Form submit={t("advice.confirm")} done={execute}>
          <p>{of.description}</p>
          {of.type === "reorder" && <Field label={t("advice.quantity")} name="quantity" type="number" value={quantity} hint={t("advice.quantity.hint")} />}
        </Form>
      )}
    </Sheet>
  );
}

function Done({ of, close }: { of: Executed; close: () => void }) {
  const { order_list: order, messages, note } = of.side_effects;
  const text = order.map((line) => line.text).join("\n");
  return (
    <>
      <p>
        <strong>{of.next_steps}</strong>
      </p>
      {order.map((line) => (
        <p key={line.text} class="soft">
          {line.product_name}: {number(line.quantity)}
          {line.order_by && ` · ${t("advice.order_by", { day: date(line.order_by) })}`}
        </p>
      ))}
      {messages.map((message) => (
        <Draft key={message.customer_id} name={message.name} text={message.text[language()] ?? ""} link={message.whatsapp[language()] ?? null} id={message.customer_id} />
      ))}
      <p class="soft">{note}</p>
      <div class="buttons">
        {order.length > 0 && (
          <Act done={() => navigator.clipboard.writeText(text).then(() => toast(t("copied")))}>{t("copy")}</Act>
        )}
        <button type="button" class="primary" onClick={close}>
          {t("close")}
        </button>
      </div>
    </>
  );
}

/** A message that the owner may send; nothing is sent by itself. */
export function Draft({ name, text, link, id }: { name: string; text: string; link: string | null; id: number }) {
  return (
    <div class="card">
      <strong>{name}</strong>
      <p class="soft">{text}</p>
      <div class="buttons">
        {link ? (
          <a class="quiet small" href={link} target="_blank" rel="noopener noreferrer">
            <Icon name="chat" /> WhatsApp
          </a>
        ) : (
          <Link class="quiet small" to={`/customers/${id}`}>
            <Icon name="phone" /> {t("customer.phone.add")}
          </Link>
        )}
      </div>
    </div>
  );
}

/** Baki: how old it is, who owes what since when, collecting and reminding. */
import { useState } from "preact/hooks";
import { post, replaying } from "../../shared/api.ts";
import { Parts } from "../../shared/charts.tsx";
import { useGet, useRead } from "../../shared/hooks.ts";
import { date, day, money, t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { Link } from "../../shared/router.tsx";
import { Card, Data, Empty, Facts, Field, Form, Page, Sheet, numeric, toast, type Values } from "../../shared/ui.tsx";
import { customer } from "../calls.ts";
import { shopName } from "../shop.ts";
import type { Cash, Customer, Debtor } from "../types.ts";
import { whatsapp } from "./customers.tsx";
import { Collections, OpeningDebts } from "./entries.tsx";

const AGES = ["0-7", "8-30", "31-60", "60+"] as const;

export function BakiPage() {
  const cash = useGet<Cash>("/cashflow?projection_days=7");
  const [chosen, setChosen] = useState<Debtor | null>(null);
  const [turn, setTurn] = useState(0);
  const close = () => {
    setChosen(null);
    setTurn((count) => count + 1);
    cash.again();
  };
  return (
    <Page title={t("nav.baki")} lead={t("baki.lead")}>
      <Data of={cash}>
        {({ receivables: owed }) =>
          owed.customers.length === 0 ? (
            <Empty icon="check" title={t("baki.none")}>
              <p>{t("baki.none.text")}</p>
            </Empty>
          ) : (
            <>
              <Card>
                <p class="tile lead">
                  <span class="label">{t("baki.total", { count: owed.customer_count })}</span>
                  <span class="value num">{money(owed.total)}</span>
                </p>
                <Parts label={t("baki.ages")} of={AGES.map((age, at) => ({ name: t(`age.${age}`), value: owed.ageing[age], tone: `p${at + 1}` }))} />
                <Facts of={AGES.map((age, at) => [t(`age.${age}`), money(owed.ageing[age]), `p${at + 1}`])} />
              </Card>
              <ul class="rows">
                {owed.customers.map((debtor) => (
                  <li key={debtor.customer_id}>
                    <button type="button" class="row" onClick={() => setChosen(debtor)}>
                      <span class="main">
                        <span>{debtor.name ?? t("unnamed")}</span>
                        {debtor.oldest_sale && <small>{t("baki.since", { day: date(debtor.oldest_sale, "full") })}</small>}
                      </span>
                      <strong class="side num">{money(debtor.outstanding)}</strong>
                      <Icon name="next" />
                    </button>
                  </li>
                ))}
              </ul>
            </>
          )
        }
      </Data>
      <Collections key={turn} again={cash.again} />
      <OpeningDebts again={cash.again} />
      {chosen && <Collect of={chosen} close={close} />}
    </Page>
  );
}

function Collect({ of, close }: { of: Debtor; close: () => void }) {
  const person = useRead<Customer>(`customer ${of.customer_id}`, () => customer(of.customer_id));
  const draft = t("draft.baki", { name: of.name ?? "", amount: money(of.outstanding), shop: shopName() });
  const link = whatsapp(person.data?.phone ?? null, draft);
  const done = async (values: Values) => {
    await post("/cashflow/collections", { customer_id: of.customer_id, amount: numeric(values, "amount"), date: values["date"] || day() }, crypto.randomUUID());
    toast(t("baki.collected"));
    close();
  };
  return (
    <Sheet title={of.name ?? t("customer")} close={close}>
      <Facts
        of={[
          [t("baki.owes"), <strong>{money(of.outstanding)}</strong>],
          [t("baki.oldest"), of.oldest_sale ? date(of.oldest_sale, "full") : "–"],
          [t("baki.expected"), of.expected_date ? date(of.expected_date, "full") : "–"],
        ]}
      />
      <div class="buttons">
        {link && (
          <a class="quiet small" href={link} target="_blank" rel="noopener noreferrer">
            <Icon name="chat" /> {t("baki.remind")}
          </a>
        )}
        <Link class="quiet small" to={`/customers/${of.customer_id}`}>
          {person.data && !person.data.phone ? t("customer.phone.add") : t("customer")}
        </Link>
      </div>
      {!replaying() && (
        <>
          <hr />
          <Form submit={t("baki.collect")} done={done}>
            <div class="pair">
              <Field label={t("baki.paid")} name="amount" type="number" required value={of.outstanding} />
              <Field label={t("date")} name="date" type="date" value={day()} max={day()} />
            </div>
          </Form>
        </>
      )}
    </Sheet>
  );
}

/** Customers: who they are by segment, and one with the reason of the risk, a message, phone and merging. */
import { useState } from "preact/hooks";
import { patch, post, replaying } from "../../shared/api.ts";
import { Parts } from "../../shared/charts.tsx";
import { useGet, useRead } from "../../shared/hooks.ts";
import { date, money, number, t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { useList } from "../../shared/list.ts";
import { Link, filter, query } from "../../shared/router.tsx";
import { Act, Card, Chip, Choice, Data, Empty, Facts, Field, Form, Page, Search, Sheet, toast, type Values } from "../../shared/ui.tsx";
import { customer } from "../calls.ts";
import { shopName } from "../shop.ts";
import type { Candidate, Customer, CustomerDetails, List, Schemas, Segments } from "../types.ts";
import { Export } from "./entries.tsx";

const VIEWS: [string, string][] = [
  ["", "sort=total_spent"],
  ["risk", "churn_risk_only=true&sort=total_spent"],
  ["name", "sort=name"],
];
const SEGMENTS = ["champions", "loyal", "potential", "at_risk", "dormant"] as const;
/** The filter that shows a segment. */
const FILTERS: Record<(typeof SEGMENTS)[number], Schemas["Segment"]> = { champions: "champion", loyal: "loyal", potential: "potential", at_risk: "at_risk", dormant: "dormant" };
const TONES: Record<string, string> = { high: "bad", medium: "warn" };

export function CustomersPage() {
  const view = query().get("view") ?? "";
  const [words, segment] = [query().get("q"), query().get("segment")];
  const wanted = [words && `&q=${encodeURIComponent(words)}`, segment && `&segment=${segment}`].filter(Boolean).join("");
  const list = useList<Customer, Segments>(`/customers?limit=50&${VIEWS.find(([id]) => id === view)?.[1] ?? ""}${wanted}`);
  return (
    <Page title={t("nav.customers")}>
      <Choice label={t("customers.view")} value={view} choose={(id) => filter("view", id)} options={VIEWS.map(([id]) => [id, t(`customers.${id || "all"}`)])} />
      <Search label={t("customers.search")} />
      {segment && (
        <p class="buttons">
          <button type="button" class="quiet small" title={t("customers.every.segment")} onClick={() => filter("segment", "")}>
            {t(`segment.${segment}`)} <Icon name="close" />
          </button>
        </p>
      )}
      <Data of={list}>
        {({ results, count, summary }) =>
          summary.total === 0 && !wanted ? (
            <Empty icon="customers" title={t("customers.none")}>
              <p>{t("customers.none.next")}</p>
            </Empty>
          ) : (
            <>
              {view === "" && !wanted && <Shares of={summary} />}
              {count === 0 && <Empty icon={wanted ? "customers" : "check"} title={t(wanted ? "customers.not.found" : "customers.risk.none")} />}
              <ul class="rows">
                {results.map((of) => (
                  <li key={of.id}>
                    <CustomerRow of={of} />
                  </li>
                ))}
              </ul>
              <Export path={`/customers?${VIEWS.find(([id]) => id === view)?.[1] ?? ""}${wanted}`} name="customers" />
              {list.more && <Act done={list.more}>{t("more.load", { left: count - results.length })}</Act>}
            </>
          )
        }
      </Data>
    </Page>
  );
}

function Shares({ of }: { of: Segments }) {
  return (
    <Card title={t("customers.segments")}>
      <Parts label={t("customers.segments")} of={SEGMENTS.map((name, at) => ({ name: t(`segments.${name}`), value: of[name], tone: `p${at + 1}` }))} />
      <Facts of={SEGMENTS.map((name, at) => [<Link to={`/customers?segment=${FILTERS[name]}`}>{t(`segments.${name}`)}</Link>, number(of[name]), `p${at + 1}`])} />
    </Card>
  );
}

function CustomerRow({ of }: { of: Customer }) {
  const { total_spent: spent, days_since: since } = of.purchase_metrics;
  const risk = of.churn_analysis?.churn_risk_level;
  return (
    <Link class="row" to={`/customers/${of.id}`}>
      <span class="main">
        <span>{of.name ?? t("unnamed")}</span>
        <small>{since === null ? "" : since === 0 ? t("customers.today") : t("customers.since", { days: since })}</small>
      </span>
      <span class="side">
        <strong class="num">{money(spent)}</strong>
        {risk && TONES[risk] ? <Chip tone={TONES[risk]}>{t(`risk.${risk}`)}</Chip> : <small>{of.churn_analysis ? t(`segment.${of.churn_analysis.rfm_segment}`) : ""}</small>}
      </span>
    </Link>
  );
}

/** A WhatsApp address with the draft of a message, null without a phone number. */
export function whatsapp(phone: string | null, text: string): string | null {
  return phone ? `https://wa.me/${phone.replace("+", "")}?text=${encodeURIComponent(text)}` : null;
}

export function CustomerPage({ id }: { id: string }) {
  const read = useRead<CustomerDetails>(`customer ${id}`, () => customer(Number(id)));
  return (
    <Page title={read.data?.name ?? t("customer")}>
      <Data of={read}>{(of) => <Person of={of} again={read.again} />}</Data>
    </Page>
  );
}

/** Customers who may be the same person, each with the reason; a tap opens the question whether to merge. */
function Offers({ of, choose }: { of: CustomerDetails; choose: (other: Candidate) => void }) {
  if (replaying() || of.merge_candidates.length === 0) return null;
  return (
    <Card title={t("customer.merge")}>
      {of.merge_candidates.map((other) => (
        <div key={other.id}>
          <p>
            <Link to={`/customers/${other.id}`}>
              <bdi>{other.name ?? t("unnamed")}</bdi>
            </Link>
            {other.phone && ` · ${other.phone}`}
          </p>
          <p class="soft">{other.reason}</p>
          <div class="buttons">
            <button type="button" class="quiet small" aria-haspopup="dialog" onClick={() => choose(other)}>
              {t("customer.merge.same")}
            </button>
          </div>
        </div>
      ))}
    </Card>
  );
}

function Person({ of, again }: { of: CustomerDetails; again: () => void }) {
  const [other, setOther] = useState<Candidate>();
  const [sheet, setSheet] = useState<"" | "details" | "merge">("");
  const close = () => {
    setSheet("");
    setOther(undefined);
    again();
  };
  const draft = t("draft.missed", { name: of.name ?? "", shop: shopName() });
  const link = whatsapp(of.phone, draft);
  const metrics = of.purchase_metrics;
  const risk = of.churn_analysis?.churn_risk_level ?? "";
  return (
    <>
      {of.churn_analysis && (
        <Card title={t(`segment.${of.churn_analysis.rfm_segment}`)} aside={<Chip tone={TONES[risk]}>{t(`risk.${risk}`)}</Chip>}>
          <p>{of.churn_analysis.risk_reason}</p>
          <div class="buttons">
            {!replaying() && link && (
              <a class="primary small" href={link} target="_blank" rel="noopener noreferrer">
                <Icon name="chat" /> {t("customer.write")}
              </a>
            )}
            {!replaying() && !link && (
              <button type="button" class="primary small" onClick={() => setSheet("details")}>
                <Icon name="phone" /> {t("customer.phone.add")}
              </button>
            )}
            <Link class="icon" to={`/why/customer/${of.id}`}>
              {t("why")}
            </Link>
          </div>
          {link && <p class="soft">{t("customer.draft", { text: draft })}</p>}
        </Card>
      )}
      <Card
        title={t("customer.known")}
        aside={
          !replaying() && (
            <button type="button" class="icon" onClick={() => setSheet("details")}>
              {t("change")}
            </button>
          )
        }
      >
        <Facts
          of={[
            [t("phone"), of.phone ? <a href={`tel:${of.phone}`}>{of.phone}</a> : "–"],
            [t("customer.spent"), money(metrics.total_spent)],
            [t("customer.visits"), number(metrics.purchase_count)],
            [t("customer.mean"), money(metrics.avg_value)],
            [t("customer.last"), metrics.last_purchase ? date(metrics.last_purchase, "full") : "–"],
            [t("notes"), of.notes ?? "–"],
          ]}
        />
        {!replaying() && (
          <div class="buttons">
            <button type="button" class="quiet small" onClick={() => setSheet("merge")}>
              {t("customer.merge")}
            </button>
          </div>
        )}
      </Card>
      <Offers of={of} choose={setOther} />
      {other && <MergeOffered of={of} other={other} close={close} />}
      {sheet === "details" && <Details of={of} close={close} />}
      {sheet === "merge" && <Merge of={of} close={close} />}
    </>
  );
}

function Details({ of, close }: { of: Customer; close: () => void }) {
  const done = async (values: Values) => {
    const changed = (["name", "phone", "notes"] as const).map((name) => [name, values[name] || null] as const).filter(([name, value]) => value !== of[name]);
    if (changed.length > 0) await patch(`/customers/${of.id}`, Object.fromEntries(changed));
    toast(t("saved"));
    close();
  };
  return (
    <Sheet title={of.name ?? t("customer")} close={close}>
      <Form submit={t("save")} done={done}>
        <Field label={t("name")} name="name" required maxLength={255} value={of.name ?? ""} autocomplete="off" />
        <Field label={t("phone")} name="phone" type="tel" value={of.phone ?? ""} autocomplete="off" placeholder="01712345678" />
        <Field label={t("notes")} name="notes" maxLength={2000} value={of.notes ?? ""} autocomplete="off" />
      </Form>
    </Sheet>
  );
}

async function merge(id: number, other: number): Promise<void> {
  await post(`/customers/${id}/merge`, { customer_id: other });
  toast(t("customer.merged"));
}

function MergeOffered({ of, other, close }: { of: Customer; other: Candidate; close: () => void }) {
  const done = async () => {
    await merge(of.id, other.id);
    close();
  };
  return (
    <Sheet title={t("customer.merge")} close={close}>
      <Form submit={t("customer.merge.do")} done={done}>
        <p>{t("customer.merge.offered", { name: of.name ?? t("unnamed"), other: other.name ?? t("unnamed"), phone: other.phone ?? of.phone ?? "" })}</p>
      </Form>
    </Sheet>
  );
}

function Merge({ of, close }: { of: Customer; close: () => void }) {
  const [words, setWords] = useState("");
  const others = useGet<List<Customer>>(`/customers?limit=20&sort=name${words && `&q=${encodeURIComponent(words)}`}`);
  const done = async (values: Values) => {
    await merge(of.id, Number(values["other"]));
    close();
  };
  return (
    <Sheet title={t("customer.merge")} close={close}>
      <Form submit={t("customer.merge.do")} done={done}>
        <p>{t("customer.merge.text", { name: of.name ?? "" })}</p>
        <Field label={t("customers.search")} name="words" type="search" maxLength={100} autocomplete="off" onChange={(event) => setWords(event.currentTarget.value.trim())} />
        <Field label={t("customer.merge.other")} name="other" required>
          {(others.data?.results ?? [])
            .filter((other) => other.id !== of.id)
            .map((other) => (
              <option key={other.id} value={other.id}>
                {other.name}
              </option>
            ))}
        </Field>
      </Form>
    </Sheet>
  );
}

/** Sales: the list by day with its filters, adding one (also without a network), and one with voiding it. */
import { useState } from "preact/hooks";
import { Refused, post, replaying } from "../../shared/api.ts";
import { Bars } from "../../shared/charts.tsx";
import { useGet } from "../../shared/hooks.ts";
import { useList } from "../../shared/list.ts";
import { change, date, day, money, number, t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { Link, filter, go, query } from "../../shared/router.tsx";
import { Act, Card, Choice, Data, Empty, Facts, Field, Form, Page, Problem, Search, Sheet, Skeleton, numeric, toast, type Values } from "../../shared/ui.tsx";
import { discard, drain, enter, waiting, type NewSale } from "../queue.ts";
import type { List, Product, Sale, SalesSummary, Series } from "../types.ts";
import { Export } from "./entries.tsx";

const METHODS = ["cash", "bkash", "nagad", "rocket", "card", "credit", "other"];
const SPANS: [string, number | null][] = [
  ["today", 0],
  ["week", -6],
  ["month", -29],
  ["all", null],
];

function span(): string {
  const from = query().get("from");
  const to = query().get("to");
  if (to) return to === day() && from === to ? "today" : "";
  return SPANS.find(([, days]) => (days === null ? from === null : from === day(days)))?.[0] ?? "";
}

export function SalesPage() {
  const method = query().get("method") ?? "";
  const [from, to] = [query().get("from"), query().get("to")];
  const parts = [["date_from", from], ["date_to", to], ["payment_method", method], ["q", query().get("q")], ["customer_id", query().get("customer")]].filter(([, value]) => value);
  const wanted = parts.map(([name, value]) => `&${name}=${encodeURIComponent(value ?? "")}`).join("");
  const list = useList<Sale, SalesSummary>(`/transactions?limit=50${wanted}`);
  const choose = (id: string) => {
    const days = SPANS.find(([name]) => name === id)?.[1];
    filter("to", "");
    filter("from", days == null ? "" : day(days));
  };
  return (
    <Page title={t("nav.sales")}>
      <Waiting />
      <Choice label={t("sales.span")} value={span()} choose={choose} options={SPANS.map(([id]) => [id, t(`span.${id}`)])} />
      <Field label={t("sales.method")} name="method" value={method} onChange={(event) => filter("method", event.currentTarget.value)}>
        <option value="">{t("all")}</option>
        {METHODS.map((id) => (
          <option key={id} value={id}>
            {t(`method.${id}`)}
          </option>
        ))}
      </Field>
      <Search label={t("search.sales")} />
      <Data of={list}>
        {({ results, summary, count }) =>
          count === 0 ? (
            <Empty icon="sales" title={t("sales.none")}>
              <p>{t("sales.none.next")}</p>
              <Link class="quiet" to="/upload">
                {t("upload.choose")}
              </Link>
            </Empty>
          ) : (
            <>
              <Card>
                {from && from !== to && <Course from={from} to={to ?? day()} method={method} />}
                <Facts
                  of={[
                    [t("sales.total"), <strong class="num">{money(summary.total_revenue)}</strong>],
                    [t("sales.count"), number(summary.transaction_count)],
                    [t("sales.mean"), money(summary.average_value)],
                  ]}
                />
              </Card>
              <Export path={`/transactions?${wanted.slice(1)}`} name="sales" />
              <Days of={results} />
              {list.more && (
                <Act class="quiet" done={list.more}>
                  {t("more.load", { left: count - results.length })}
                </Act>
              )}
            </>
          )
        }
      </Data>
    </Page>
  );
}

/** Takings per day of the period, and against the period before. */
function Course({ from, to, method }: { from: string; to: string; method: string }) {
  const read = useGet<Series>(`/sales/series?compare=previous&date_from=${from}&date_to=${to}${method && `&payment_method=${method}`}`);
  return (
    <Data of={read} rows={2}>
      {({ results, summary, previous }) => {
        const against = previous && change(summary.revenue, previous.summary.revenue);
        return (
          <>
            {against && previous && <p>{t("sales.compare", { change: against, before: money(previous.summary.revenue) })}</p>}
            <Bars of={results.map((row) => ({ date: row.date, value: row.revenue }))} label={t("nav.sales")} />
          </>
        );
      }}
    </Data>
  );
}

function Days({ of }: { of: Sale[] }) {
  const days = [...new Set(of.map((sale) => sale.date.slice(0, 10)))];
  return (
    <>
      {days.map((at) => (
        <section key={at}>
          <h2 class="day-head">{date(at, "wday")}</h2>
          <ul class="rows">
            {of
              .filter((sale) => sale.date.startsWith(at))
              .map((sale) => (
                <li key={sale.id}>
                  <SaleRow of={sale} />
                </li>
              ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function SaleRow({ of }: { of: Sale }) {
  const rest = [t("sales.quantity", { count: number(of.quantity) }), of.customer_name, of.payment_method && t(`method.${of.payment_method}`)];
  return (
    <Link class="row" to={`/sales/${of.id}`}>
      <span class="main">
        <span>{of.product_name ?? t("unnamed")}</span>
        <small>{rest.filter(Boolean).join(" · ")}</small>
      </span>
      <strong class="side num">{money(of.amount)}</strong>
    </Link>
  );
}

/** Sales that have not reached the server yet, and those that it refused. */
function Waiting() {
  const sales = waiting();
  if (sales.length === 0) return null;
  return (
    <Card title={t("queue.title")} aside={<Act class="quiet small" done={drain}>{t("queue.send")}</Act>}>
      <p class="soft">{t("queue.lead")}</p>
      {sales.map(({ key, sale, at, refused }) => (
        <div key={key}>
          <Facts of={[[`${sale.product_name ?? t("queue.product", { id: sale.product_id ?? 0 })} × ${number(sale.quantity)}`, money(sale.amount)]]} />
          <small class={refused ? "bad" : "soft"}>{refused ?? t("queue.at", { at: date(at, "moment") })}</small>
          {refused && (
            <div class="buttons">
              <button type="button" class="danger small" onClick={() => discard(key)}>
                {t("queue.discard")}
              </button>
            </div>
          )}
        </div>
      ))}
    </Card>
  );
}

export function NewSalePage() {
  const products = useGet<List<Product>>("/products?limit=100&sort=sales_7d");
  const [method, setMethod] = useState("cash");
  const [form, setForm] = useState(0);
  const [price, setPrice] = useState<number | null>(null);
  const known = products.data?.results ?? [];
  const named = (name: string | undefined) => known.find((product) => product.name?.toLowerCase() === name?.toLowerCase());
  const done = async (values: Values) => {
    const [quantity, amount] = [numeric(values, "quantity"), numeric(values, "amount")];
    const product = named(values["product"]);
    const sale: NewSale = {
      date: values["date"] || day(),
      quantity: quantity ?? 1,
      amount: amount ?? (price ?? 0) * (quantity ?? 1),
      ...(product ? { product_id: product.id } : { product_name: values["product"] ?? "" }),
      ...(values["customer"] ? { customer_name: values["customer"] } : {}),
      payment_method: method,
    };
    if (method === "credit" && !values["customer"]) throw new Refused(400, { message: t("sales.credit.who") }, null);
    const sent = await enter(sale);
    toast(t(sent ? "sales.saved" : "sales.kept", { amount: money(sale.amount) }), sent ? "good" : "warn");
    setPrice(null);
    setForm((count) => count + 1);
  };
  if (replaying()) return <Closed />;
  return (
    <Page title={t("sales.add")}>
      <Card>
        <Form key={form} submit={t("save")} done={done} extra={<Link class="icon" to="/sales">{t("nav.sales")}</Link>}>
          <Field label={t("product")} name="product" required maxLength={255} list="products" autocomplete="off" onInput={(event) => setPrice(named(event.currentTarget.value)?.unit_price ?? null)} />
          <datalist id="products">
            {known.map((product) => (
              <option key={product.id} value={product.name ?? ""} />
            ))}
          </datalist>
          <div class="pair">
            <Field label={t("quantity")} name="quantity" type="number" value="" placeholder={number(1)} />
            <Field label={t("sales.amount")} name="amount" type="number" required={price === null} placeholder={price === null ? "" : number(price)} hint={price === null ? undefined : t("sales.price", { price: money(price, true) })} />
          </div>
          <p class="field">
            <span id="method">{t("sales.method")}</span>
          </p>
          <Choice label={t("sales.method")} value={method} choose={setMethod} options={METHODS.map((id) => [id, t(`method.${id}`)])} />
          <Field label={t("sales.customer")} name="customer" maxLength={255} required={method === "credit"} hint={method === "credit" ? t("sales.credit.hint") : undefined} autocomplete="off" />
          <Field label={t("date")} name="date" type="date" value={day()} max={day()} />
        </Form>
      </Card>
    </Page>
  );
}

/** Shown where something would be changed while an earlier day is open. */
export function Closed() {
  return (
    <Page title={t("earlier.closed")}>
      <Empty icon="clock" title={t("earlier.closed.text")} />
    </Page>
  );
}

export function SalePage({ id }: { id: string }) {
  const sale = useGet<Sale & { voided?: boolean; reason?: string }>(`/transactions/${id}`);
  const [voiding, setVoiding] = useState(false);
  const done = async (values: Values) => {
    await post(`/transactions/${id}/void`, { reason: values["reason"] });
    setVoiding(false);
    toast(t("sales.voided"));
    go("/sales");
  };
  if (sale.error) return <Page title={t("sale")}><Problem error={sale.error} again={sale.again} /></Page>;
  if (!sale.data) return <Page title={t("sale")}><Skeleton /></Page>;
  const of = sale.data;
  return (
    <Page title={of.product_name ?? t("sale")} lead={date(of.date, "full")}>
      <Card>
        <Facts
          of={[
            [t("amount"), <strong>{money(of.amount, true)}</strong>],
            [t("quantity"), number(of.quantity)],
            [t("price"), money(of.unit_price, true)],
            [t("sales.method"), of.payment_method ? t(`method.${of.payment_method}`) : "–"],
            [t("customer"), of.customer_id ? <Link to={`/customers/${of.customer_id}`}>{of.customer_name ?? t("unnamed")}</Link> : "–"],
            [t("product"), <Link to={`/products/${of.product_id}`}>{of.product_name ?? t("unnamed")}</Link>],
            [t("sales.source"), t(`source.${of.data_source}`)],
          ]}
        />
        <div class="buttons">
          <Link class="quiet" to={`/why/transaction/${id}`}>
            <Icon name="why" /> {t("why")}
          </Link>
          {!replaying() && (
            <button type="button" class="danger" onClick={() => setVoiding(true)}>
              {t("sales.void")}
            </button>
          )}
        </div>
      </Card>
      {voiding && (
        <Sheet title={t("sales.void")} close={() => setVoiding(false)}>
          <Form submit={t("sales.void")} tone="danger" done={done}>
            <p>{t("sales.void.text")}</p>
            <Field label={t("reason")} name="reason" required maxLength={500} />
          </Form>
        </Sheet>
      )}
    </Page>
  );
}

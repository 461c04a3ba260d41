/** Products: stock against the reorder point, and one product with its counts, deliveries, price and forecast. */
import { useState } from "preact/hooks";
import { patch, post, replaying } from "../../shared/api.ts";
import { Band } from "../../shared/charts.tsx";
import { useGet, useRead } from "../../shared/hooks.ts";
import { date, money, number, t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { useList } from "../../shared/list.ts";
import { Link, filter, query } from "../../shared/router.tsx";
import { Act, Card, Chip, Choice, Data, Empty, Facts, Field, Form, Page, Search, Sheet, numeric, toast, type Values } from "../../shared/ui.tsx";
import { product } from "../calls.ts";
import type { Forecast, List, Product } from "../types.ts";
import { Export } from "./entries.tsx";

const VIEWS: [string, string][] = [
  ["", "sort=name"],
  ["low", "low_stock_only=true&sort=stock"],
  ["best", "sort=sales_7d"],
];

export function unitOf(of: { unit: string | null }): string {
  return of.unit ? t(`unit.${of.unit}`) : "";
}

function Stock({ of }: { of: Product }) {
  if (!of.stock_known || of.current_stock === null) return <Chip tone="plain">{t("stock.unknown")}</Chip>;
  const days = of.forecast?.days_until_stockout;
  if (of.is_low_stock) return <Chip tone="bad">{days != null ? t("stock.days", { days }) : t("stock.low")}</Chip>;
  return days != null ? <Chip tone="warn">{t("stock.days", { days })}</Chip> : <Chip>{t("stock.enough")}</Chip>;
}

export function ProductsPage() {
  const view = query().get("view") ?? "";
  const words = query().get("q");
  const wanted = `${VIEWS.find(([id]) => id === view)?.[1] ?? VIEWS[0]?.[1]}${words ? `&q=${encodeURIComponent(words)}` : ""}`;
  const list = useList<Product>(`/products?limit=50&${wanted}`);
  return (
    <Page title={t("nav.products")}>
      <Choice label={t("products.view")} value={view} choose={(id) => filter("view", id)} options={VIEWS.map(([id]) => [id, t(`products.${id || "all"}`)])} />
      <Search label={t("search.products")} />
      <Data of={list}>
        {({ results, count }) =>
          count === 0 && words ? (
            <Empty icon="products" title={t("search.none")} />
          ) : count === 0 ? (
            <Empty icon="products" title={t(view === "low" ? "products.low.none" : "products.none")}>
              <p>{t(view === "low" ? "products.low.none.text" : "products.none.next")}</p>
            </Empty>
          ) : (
            <>
              <ul class="rows">
                {results.map((of) => (
                  <li key={of.id}>
                    <Link class="row" to={`/products/${of.id}`}>
                      <span class="main">
                        <span>{of.name ?? t("unnamed")}</span>
                        <small>{[money(of.unit_price, true), t("products.sold", { count: number(of.sales_metrics.sales_7d) })].join(" · ")}</small>
                      </span>
                      <span class="side">
                        <strong class="num">{of.stock_known ? `${number(of.current_stock ?? 0)} ${unitOf(of)}` : "–"}</strong>
                        <Stock of={of} />
                      </span>
                    </Link>
                  </li>
                ))}
              </ul>
              <Export path={`/products?${wanted}`} name="products" />
              {list.more && <Act done={list.more}>{t("more.load", { left: count - results.length })}</Act>}
            </>
          )
        }
      </Data>
    </Page>
  );
}

export function ProductPage({ id }: { id: string }) {
  const read = useRead<Product>(`product ${id}`, () => product(Number(id)));
  const forecast = useGet<List<Forecast>>(`/forecasts?product_id=${id}`);
  const found = forecast.data?.results[0];
  return (
    <Page title={read.data?.name ?? t("product")} action={read.data && <Stock of={read.data} />}>
      <div class="columns">
        <Data of={read}>{(of) => <Shelf of={of} again={read.again} />}</Data>
        <Card title={t("forecast.week")} aside={found && <Link to={`/forecasts/${id}`}>{t("details")}</Link>}>
          <Data of={forecast}>{() => (found ? <Demand of={found} /> : <p class="soft">{t("forecast.none")}</p>)}</Data>
        </Card>
      </div>
    </Page>
  );
}

/** The expected demand, with its band, or why there is none yet. */
export function Demand({ of }: { of: Forecast }) {
  if (of.predicted_demand.length === 0) {
    return <p class="soft">{of.need ? t("forecast.need", { have: of.have ?? 0, need: of.need }) : t("forecast.none")}</p>;
  }
  const points = of.predicted_demand.map((row) => ({ date: row.date, value: row.quantity, low: row.lower, high: row.upper }));
  return (
    <>
      {of.summary?.total_demand != null && <p>{t("forecast.total", { count: number(of.summary.total_demand, 0), low: number(of.summary.total_lower ?? 0, 0), high: number(of.summary.total_upper ?? 0, 0), days: of.forecast_days })}</p>}
      <Band of={points} label={t("forecast.week")} unit="piece" />
      {of.stale && of.data_as_of && <p class="warn">{t("forecast.stale", { day: date(of.data_as_of, "full") })}</p>}
    </>
  );
}

const KINDS = ["count", "receive", "waste", "return"];

function Shelf({ of, again }: { of: Product; again: () => void }) {
  const [sheet, setSheet] = useState("");
  const unit = unitOf(of);
  const close = () => {
    setSheet("");
    again();
  };
  return (
    <div>
      <Card title={t("stock")}>
        <Facts
          of={[
            [t("stock.now"), of.stock_known ? <strong>{`${number(of.current_stock ?? 0)} ${unit}`}</strong> : t("stock.unknown")],
            [t("stock.reorder"), of.reorder_point === null ? "–" : `${number(of.reorder_point)} ${unit}${of.reorder_point_auto ? ` (${t("automatic")})` : ""}`],
            [t("stock.left"), of.forecast?.days_until_stockout != null ? t("days", { count: of.forecast.days_until_stockout }) : "–"],
            [t("stock.counted"), of.counted_at ? date(of.counted_at, "moment") : t("never")],
            [t("products.week"), `${number(of.sales_metrics.sales_7d)} ${unit}`],
            [t("products.month"), `${number(of.sales_metrics.sales_30d)} ${unit}`],
          ]}
        />
        {!of.stock_known && <p class="soft">{t("stock.count.why")}</p>}
        <div class="buttons">
          {!replaying() &&
            KINDS.slice(0, 3).map((kind) => (
              <button key={kind} type="button" class={kind === "count" ? "primary small" : "quiet small"} onClick={() => setSheet(kind)}>
                {t(`move.${kind}`)}
              </button>
            ))}
          <Link class="icon" to={`/why/stock/${of.id}`}>
            {t("why")}
          </Link>
        </div>
      </Card>
      <Card
        title={t("products.terms")}
        aside={
          !replaying() && (
            <button type="button" class="icon" onClick={() => setSheet("terms")}>
              {t("change")}
            </button>
          )
        }
      >
        <Facts
          of={[
            [t("price"), money(of.unit_price, true)],
            [t("cost"), money(of.cost, true)],
            [t("lead"), of.lead_time_days === null ? "–" : t("days", { count: of.lead_time_days })],
            [t("pack"), of.pack_size === null ? "–" : number(of.pack_size)],
            [t("min_order"), of.min_order === null ? "–" : number(of.min_order)],
          ]}
        />
      </Card>
      {sheet === "terms" && <Terms of={of} close={close} />}
      {KINDS.includes(sheet) && <Move of={of} kind={sheet} close={close} />}
    </div>
  );
}

function Move({ of, kind, close }: { of: Product; kind: string; close: () => void }) {
  const done = async (values: Values) => {
    await post(`/products/${of.id}/stock`, { kind, quantity: numeric(values, "quantity") }, crypto.randomUUID());
    toast(t("saved"));
    close();
  };
  return (
    <Sheet title={`${t(`move.${kind}`)}: ${of.name ?? ""}`} close={close}>
      <Form submit={t("save")} done={done}>
        <Field label={t(`move.${kind}.label`)} hint={unitOf(of)} name="quantity" type="number" required />
      </Form>
    </Sheet>
  );
}

function Terms({ of, close }: { of: Product; close: () => void }) {
  const names = ["unit_price", "cost", "reorder_point", "lead_time_days", "pack_size", "min_order"] as const;
  const done = async (values: Values) => {
    const changed = names.map((name) => [name, numeric(values, name) ?? null] as const).filter(([name, value]) => value !== (name === "reorder_point" && of.reorder_point_auto ? null : of[name]));
    if (changed.length > 0) await patch(`/products/${of.id}`, Object.fromEntries(changed));
    toast(t("saved"));
    close();
  };
  const shown = (name: (typeof names)[number]) => (name === "reorder_point" && of.reorder_point_auto ? undefined : (of[name] ?? undefined));
  return (
    <Sheet title={t("products.terms")} close={close}>
      <Form submit={t("save")} done={done}>
        <div class="pair">
          {names.map((name) => (
            <Field key={name} label={t(`terms.${name}`)} name={name} type="number" value={shown(name)} />
          ))}
        </div>
        <p class="soft">
          <Icon name="idea" /> {t("terms.hint")}
        </p>
      </Form>
    </Sheet>
  );
}

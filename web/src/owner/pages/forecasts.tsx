/** Forecasts: what will sell, what runs out first, and how good the forecasts were. */
import { post, replaying } from "../../shared/api.ts";
import { useGet } from "../../shared/hooks.ts";
import { date, number, t } from "../../shared/i18n.ts";
import { useList } from "../../shared/list.ts";
import { Link } from "../../shared/router.tsx";
import { Act, Card, Chip, Data, Empty, Facts, Page, toast } from "../../shared/ui.tsx";
import type { Forecast, List } from "../types.ts";
import { Demand } from "./products.tsx";

export function ForecastsPage() {
  const list = useList<Forecast>("/forecasts?limit=50&sort=stockout_risk");
  return (
    <Page title={t("nav.forecasts")} lead={t("forecast.lead")}>
      <Data of={list}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon="forecast" title={t("forecast.none.yet")}>
              <p>{t("forecast.none.next")}</p>
            </Empty>
          ) : (
            <>
              <ul class="rows">
                {results.map((of) => (
                  <li key={of.id}>
                    <ForecastRow of={of} />
                  </li>
                ))}
              </ul>
              {list.more && <Act done={list.more}>{t("more.load", { left: count - results.length })}</Act>}
            </>
          )
        }
      </Data>
    </Page>
  );
}

function ForecastRow({ of }: { of: Forecast }) {
  const days = of.stockout_risk?.days_until_stockout;
  return (
    <Link class="row" to={`/forecasts/${of.product.id}`}>
      <span class="main">
        <span>{of.product.name ?? t("unnamed")}</span>
        <small>{of.summary?.total_demand != null ? t("forecast.band", { low: number(of.summary.total_lower ?? 0, 0), high: number(of.summary.total_upper ?? 0, 0) }) : t("forecast.need", { have: of.have ?? 0, need: of.need ?? 0 })}</small>
      </span>
      <span class="side">
        {of.summary?.total_demand != null && <strong class="num">{number(of.summary.total_demand, 0)}</strong>}
        {of.stockout_risk?.will_stockout && <Chip tone="bad">{days == null ? t("stock.low") : t("stock.days", { days })}</Chip>}
      </span>
    </Link>
  );
}

export function ForecastPage({ id }: { id: string }) {
  const read = useGet<List<Forecast>>(`/forecasts?product_id=${id}`);
  const of = read.data?.results[0];
  const ask = (days: number) => async () => {
    const asked = await post<{ message: string }>("/forecasts/request", { product_ids: [Number(id)], forecast_days: days }, crypto.randomUUID());
    toast(asked.message);
  };
  return (
    <Page title={of?.product.name ?? t("forecast")} lead={of?.forecast_date && t("forecast.made", { day: date(of.forecast_date, "full") })}>
      <Data of={read}>{() => (of ? <Outlook of={of} /> : <Empty icon="forecast" title={t("forecast.none")} />)}</Data>
      {!replaying() && (
        <div class="buttons">
          {[14, 30].map((days) => (
            <Act key={days} done={ask(days)}>
              {t("forecast.ask", { days })}
            </Act>
          ))}
          <Act done={async () => read.again()}>{t("again.read")}</Act>
          <Link class="quiet" to={`/products/${id}`}>
            {t("product")}
          </Link>
        </div>
      )}
    </Page>
  );
}

function Outlook({ of }: { of: Forecast }) {
  const risk = of.stockout_risk;
  const score = of.accuracy;
  return (
    <>
      <Card>
        <Demand of={of} />
        {risk?.recommendation && <p class={risk.will_stockout ? "bad" : ""}>{risk.recommendation}</p>}
      </Card>
      {score?.wape != null && (
        <Card title={t("forecast.score")}>
          <p>
            {score.naive_wape !== null && score.naive_wape > score.wape
              ? t("forecast.better", { own: number(score.wape, 0), naive: number(score.naive_wape, 0) })
              : t("forecast.off", { own: number(score.wape, 0) })}
          </p>
          <Facts
            of={[
              [t("forecast.own"), `${number(score.wape, 0)}%`],
              [t("forecast.naive"), score.naive_wape === null ? "–" : `${number(score.naive_wape, 0)}%`],
              [t("forecast.windows"), score.windows === null ? "–" : number(score.windows)],
            ]}
          />
        </Card>
      )}
    </>
  );
}

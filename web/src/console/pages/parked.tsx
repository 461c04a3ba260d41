/** Parked shops: which event could not be applied and why, what waits behind it, and trying again. */
import { post } from "../../shared/api.ts";
import { useGet } from "../../shared/hooks.ts";
import { date, number, t } from "../../shared/i18n.ts";
import { Link } from "../../shared/router.tsx";
import { Data, Empty, Page, Table, toast } from "../../shared/ui.tsx";
import { Confirm } from "../parts.tsx";
import type { Parked } from "../types.ts";

const EVERY = 3;

export function ParkedPage() {
  const parked = useGet<{ count: number; results: Parked[] }>("/admin/parked", EVERY);
  const retry = (business: number) => async () => {
    const { message } = await post<{ message: string }>(`/admin/parked/${business}/retry`, {}, crypto.randomUUID());
    toast(message);
    parked.again();
  };
  return (
    <Page title={t("nav.parked")} lead={t("parked.lead")}>
      <Data of={parked}>
        {({ results }) =>
          results.length === 0 ? (
            <Empty icon="check" title={t("parked.none")}>
              <p>{t("parked.none.text")}</p>
            </Empty>
          ) : (
            <Table
              caption={t("nav.parked")}
              head={[t("business"), t("projection"), t("event"), t("error"), t("since"), t("parked.waiting"), t("parked.retried"), ""]}
              rows={results.map((one) => [
                <Link to={`/events?business_id=${one.business_id}`}>{number(one.business_id)}</Link>,
                t(`projection.${one.projection}`),
                <Link to={`/events/${one.position}`}>{`${number(one.position)} ${one.topic}`}</Link>,
                <span class="bad">{one.error}</span>,
                one.since ? date(one.since, "moment") : "–",
                number(one.waiting),
                one.retried_at ? date(one.retried_at, "exact") : t("never"),
                <div class="buttons">
                  <Confirm label={t("retry")} text={t("parked.retry.text", { business: one.business_id })} done={retry(one.business_id)} />
                  <Link class="quiet" to={`/projections?business_id=${one.business_id}`}>
                    {t("rebuild")}
                  </Link>
                </div>,
              ])}
            />
          )
        }
      </Data>
    </Page>
  );
}

/** Today: what came in, what is there, and at most three things to do. */
import type { Answer } from "../../shared/api.ts";
import { replaying } from "../../shared/api.ts";
import { Bars } from "../../shared/charts.tsx";
import { useGet, useNotices, useRead, type Read } from "../../shared/hooks.ts";
import { change, date, day, money, t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { Link } from "../../shared/router.tsx";
import { Card, Data, Empty, Page } from "../../shared/ui.tsx";
import { trade, type Trade } from "../calls.ts";
import { profile } from "../shop.ts";
import type { Cash, Profile, Today } from "../types.ts";
import { AdviceCard } from "./advice.tsx";
import { FirstSteps } from "./first_steps.tsx";

export function TodayPage() {
  const shop = useRead<Profile>("profile", profile as () => Promise<Answer<Profile>>);
  const today = useGet<Today>("/today");
  const cash = useGet<Cash>("/cashflow?projection_days=7");
  const sales = useRead<Trade>("trade", trade);
  useNotices((notice) => notice.type === "advice", today.again);
  useNotices((notice) => notice.type === "import" && notice["state"] === "completed", sales.again);
  const empty = shop.data?.stats.total_transactions === 0 && !replaying();
  return (
    <Page title={t("today.title")} lead={today.data && `${date(today.data.date, "weekday")}, ${date(today.data.date)}`}>
      {empty ? <FirstSteps /> : <Overview shop={shop} today={today} cash={cash} sales={sales} />}
    </Page>
  );
}

interface Parts {
  shop: Read<Profile>;
  today: Read<Today>;
  cash: Read<Cash>;
  sales: Read<Trade>;
}

function Overview({ shop, today, cash, sales }: Parts) {
  return (
    <div class="columns today">
      <div>
        <Data of={sales} rows={2}>
          {(found) => <Takings of={found} last={shop.data?.stats.last_transaction_date ?? null} />}
        </Data>
        <Data of={cash} rows={1}>
          {(found) => <Money of={found} />}
        </Data>
      </div>
      <div class="beside">
        <Data of={today} rows={3}>
          {(found) => <Actions of={found} again={today.again} late={isLate(shop.data?.stats.last_transaction_date ?? null, found.date)} />}
        </Data>
      </div>
      {sales.data && sales.data.days.some((bar) => bar.value > 0) && (
        <Card title={t("today.days")}>
          <Bars of={sales.data.days} label={t("today.days")} />
        </Card>
      )}
    </div>
  );
}

const LATE_DAYS = 3;

/** Whether the books are too old for advice. */
function isLate(last: string | null, today: string): boolean {
  return last === null || last < day(-LATE_DAYS, today);
}

function Takings({ of, last }: { of: Trade; last: string | null }) {
  const against = change(of.today, of.sameWeekday);
  const weekly = change(of.week, of.weekBefore);
  const latest = of.days.at(-1)?.date ?? day();
  const at = (days: number) => day(days, latest);
  const late = last !== null && isLate(last, latest);
  return (
    <>
      {late && (
        <p class="note">
          <Icon name="clock" />
          <span>
            {t("today.stale", { day: date(last, "full") })} <Link to="/upload">{t("today.stale.next")}</Link>
          </span>
        </p>
      )}
      <Card tone="hero">
        <Link class="tile lead" to={`/sales?from=${at(0)}&to=${at(0)}`}>
          <span class="label">{t("today.takings")}</span>
          <span class="value num">{money(of.today)}</span>
          <span class="how">
            {t("today.count", { count: of.todayCount })}
            {against && ` · ${t("today.weekday", { change: against, day: date(at(0), "weekday"), before: money(of.sameWeekday) })}`}
          </span>
        </Link>
      </Card>
      <div class="grid">
        <Card>
          <Link class="tile" to={`/sales?from=${at(-6)}`}>
            <span class="label">{t("today.week")}</span>
            <span class="value num">{money(of.week)}</span>
            <span class="how">{weekly ? t("today.week.before", { change: weekly }) : t("today.week.none")}</span>
          </Link>
        </Card>
        <Card>
          <Link class="tile" to={`/sales?from=${at(-13)}&to=${at(-7)}`}>
            <span class="label">{t("today.before")}</span>
            <span class="value num">{money(of.weekBefore)}</span>
            <span class="how">
              {date(at(-13), "short")} – {date(at(-7), "short")}
            </span>
          </Link>
        </Card>
      </div>
    </>
  );
}

function Money({ of }: { of: Cash }) {
  const balance = of.basis === "actual" ? of.forecast.current_balance : null;
  const { total, customer_count: debtors } = of.receivables;
  const risky = of.risk_analysis.risk_level === "high";
  return (
    <div class="grid">
      <Card>
        <Link class="tile" to="/cash">
          <span class="label">{t("today.cash")}</span>
          <span class="value num">{balance === null ? t("today.cash.unknown") : money(balance)}</span>
          <span class={risky ? "how bad" : "how"}>{balance === null ? t("today.cash.enter") : t(risky ? "today.cash.low" : "today.cash.fine")}</span>
        </Link>
      </Card>
      <Card>
        <Link class="tile" to="/baki">
          <span class="label">{t("nav.baki")}</span>
          <span class="value num">{money(total)}</span>
          <span class="how">{t("today.baki", { count: debtors })}</span>
        </Link>
      </Card>
    </div>
  );
}

function Actions({ of, again, late }: { of: Today; again: () => void; late: boolean }) {
  return (
    <>
      <div class="card-head">
        <h2>{t("today.todo")}</h2>
        {of.at_stake.amount > 0 && <span class="soft num">{t("today.stake", { amount: money(of.at_stake.amount) })}</span>}
      </div>
      {of.actions.length === 0 && (
        <Card>
          <Empty icon={of.stale || late ? "clock" : "check"} title={of.message ?? t("today.nothing")}>
            {of.suggestions.map((text) => (
              <p key={text}>{text}</p>
            ))}
          </Empty>
        </Card>
      )}
      {of.actions.map((advice) => (
        <AdviceCard key={advice.id} of={advice} again={again} />
      ))}
      {of.more > 0 && (
        <Link class="quiet" to="/advice">
          {t("today.more", { count: of.more })}
        </Link>
      )}
    </>
  );
}

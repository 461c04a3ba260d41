/** Cash: the balance expected with its band, where it stood, and what goes out. */
import { useState } from "preact/hooks";
import { post, put, remove, replaying } from "../../shared/api.ts";
import { Band } from "../../shared/charts.tsx";
import { useGet } from "../../shared/hooks.ts";
import { date, day, money, t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { useList } from "../../shared/list.ts";
import { filter, query } from "../../shared/router.tsx";
import { Act, Card, Chip, Choice, Data, Field, Form, Page, Sheet, Table, numeric, toast, type Values } from "../../shared/ui.tsx";
import type { Cash, Expense } from "../types.ts";
import { Export, VoidEntry } from "./entries.tsx";

const HORIZONS = ["7", "30", "90"];
const RISKS: Record<string, string> = { high: "bad", medium: "warn" };

export function CashPage() {
  const days = query().get("days") ?? "30";
  const cash = useGet<Cash>(`/cashflow?projection_days=${days}`);
  const expenses = useList<Expense>("/cashflow/expenses?limit=20");
  const [sheet, setSheet] = useState<"" | "settings" | "expense">("");
  const close = () => {
    setSheet("");
    cash.again();
    expenses.again();
  };
  return (
    <Page title={t("nav.cash")}>
      <Choice label={t("cash.horizon")} value={days} choose={(id) => filter("days", id)} options={HORIZONS.map((id) => [id, t("days", { count: Number(id) })])} />
      <div class="columns">
        <Data of={cash}>{(found) => <Outlook of={found} edit={() => setSheet("settings")} />}</Data>
        <Card
          title={t("cash.expenses")}
          aside={
            !replaying() && (
              <button type="button" class="quiet small" onClick={() => setSheet("expense")}>
                <Icon name="plus" /> {t("add")}
              </button>
            )
          }
        >
          <Data of={expenses}>
            {({ results, count }) => (
              <>
                {count === 0 && <p class="soft">{t("cash.expenses.none")}</p>}
                <ul class="plain">
                  {results.map((expense) => (
                    <ExpenseLine key={expense.id} of={expense} again={close} />
                  ))}
                </ul>
                {count > 0 && <Export path="/cashflow/expenses" name="expenses" />}
                {expenses.more && <Act done={expenses.more}>{t("more.load", { left: count - results.length })}</Act>}
              </>
            )}
          </Data>
        </Card>
      </div>
      {sheet === "settings" && cash.data && <Settings of={cash.data} close={close} />}
      {sheet === "expense" && <NewExpense close={close} />}
    </Page>
  );
}

function Outlook({ of, edit }: { of: Cash; edit: () => void }) {
  const balance = of.basis === "actual" ? of.forecast.current_balance : null;
  const points = of.forecast.projected_balance.flatMap((row) => (balance === null ? [] : [{ date: row.date, value: row.balance, low: row.low ?? row.balance, high: row.high ?? row.balance }]));
  const { risk_level: risk, warning, critical_threshold: threshold } = of.risk_analysis;
  return (
    <div>
      <Card>
        <div class="card-head">
          <p class="tile lead">
            <span class="label">{t("today.cash")}</span>
            <span class="value num">{balance === null ? t("today.cash.unknown") : money(balance)}</span>
          </p>
          {risk && <Chip tone={RISKS[risk]}>{t(`cash.risk.${risk}`)}</Chip>}
        </div>
        {warning && <p class={risk === "high" ? "bad" : ""}>{warning}</p>}
        {of.warnings.map((warning) => (
          <p key={warning.message} class="warn">
            {warning.message}
          </p>
        ))}
        {points.length > 0 && <Band of={points} label={t("cash.outlook")} threshold={threshold} unit="taka" />}
        {balance === null && <p class="soft">{t("cash.enter.why")}</p>}
        {!replaying() && (
          <div class="buttons">
            <button type="button" class={balance === null ? "primary" : "quiet small"} onClick={edit}>
              {t(balance === null ? "cash.enter" : "cash.settings")}
            </button>
          </div>
        )}
      </Card>
      {of.recommendations.map((advice) => (
        <Card key={advice.type} tone={`advice ${advice.urgency}`}>
          <p>{advice.description}</p>
        </Card>
      ))}
      <Lines of={of} />
    </div>
  );
}

/** What each day brings in and takes out, and what that is based on. */
function Lines({ of }: { of: Cash }) {
  const rows = of.forecast.projected_balance.flatMap((row) =>
    row.lines.map((line) => [date(row.date, "short"), t(`line.${line.line}`), <span class="num">{money(line.amount)}</span>, t(`basis.${line.basis}`)]),
  );
  if (rows.length === 0) return null;
  return (
    <details class="card">
      <summary>{t("cash.lines")}</summary>
      <Table caption={t("cash.lines")} head={[t("date"), t("cash.line"), t("amount"), t("cash.basis")]} rows={rows} />
    </details>
  );
}

function ExpenseLine({ of, again }: { of: Expense; again: () => void }) {
  const end = async () => {
    await remove(`/cashflow/expenses/${of.id}`);
    toast(t("cash.ended"));
    again();
  };
  return (
    <li class="row bare">
      <span class="main">
        <span>{of.category}</span>
        <small>
          {date(of.date, "full")}
          {of.recurring && ` · ${t(`every.${of.recurring}`)}`}
          {of.ended_on && ` · ${t("cash.until", { day: date(of.ended_on, "full") })}`}
        </small>
      </span>
      <strong class="num">{money(of.amount)}</strong>
      {of.recurring && !of.ended_on && !replaying() && (
        <Act class="icon" done={end} label={`${t("cash.end")}: ${of.category}`}>
          {t("cash.end")}
        </Act>
      )}
      <VoidEntry path={`/cashflow/expenses/${of.id}`} name={`${of.category} ${money(of.amount)}`} again={again} />
    </li>
  );
}

function NewExpense({ close }: { close: () => void }) {
  const done = async (values: Values) => {
    const body = { date: values["date"], amount: numeric(values, "amount"), category: values["category"], recurring: values["recurring"] || null };
    await post("/cashflow/expenses", body, crypto.randomUUID());
    toast(t("saved"));
    close();
  };
  return (
    <Sheet title={t("cash.expense.new")} close={close}>
      <Form submit={t("save")} done={done}>
        <Field label={t("cash.category")} name="category" required maxLength={100} list="categories" autocomplete="off" />
        <datalist id="categories">
          {["rent", "wages", "electricity", "transport", "purchases"].map((id) => (
            <option key={id} value={t(`category.${id}`)} />
          ))}
        </datalist>
        <div class="pair">
          <Field label={t("amount")} name="amount" type="number" required />
          <Field label={t("date")} name="date" type="date" value={day()} required />
        </div>
        <Field label={t("cash.recurring")} name="recurring">
          {["", "daily", "weekly", "monthly", "yearly"].map((id) => (
            <option key={id} value={id}>
              {t(`every.${id || "once"}`)}
            </option>
          ))}
        </Field>
      </Form>
    </Sheet>
  );
}

function Settings({ of, close }: { of: Cash; close: () => void }) {
  const [now, suggested] = [of.settings, of.risk_analysis.suggested_threshold];
  const done = async (values: Values) => {
    await put("/cashflow/settings", {
      opening_balance: numeric(values, "balance") ?? null,
      opening_date: values["date"] || null,
      critical_threshold: numeric(values, "threshold") ?? null,
    });
    toast(t("saved"));
    close();
  };
  return (
    <Sheet title={t("cash.settings")} close={close}>
      <Form submit={t("save")} done={done}>
        <div class="pair">
          <Field label={t("cash.balance")} name="balance" type="number" value={now?.opening_balance ?? undefined} />
          <Field label={t("cash.date")} name="date" type="date" value={now?.opening_date ?? day()} max={day()} />
        </div>
        <Field label={t("cash.threshold")} name="threshold" type="number" value={now?.critical_threshold ?? undefined} hint={suggested ? t("cash.suggested", { amount: money(suggested) }) : undefined} />
      </Form>
    </Sheet>
  );
}

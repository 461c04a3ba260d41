/** Closing the shop: what is erased after a week, a copy to keep, and the owner's password; or keeping it after all. */
import { post, remove, replaying } from "../../shared/api.ts";
import { date, t } from "../../shared/i18n.ts";
import { Act, Card, Field, Form, Page, toast, type Values } from "../../shared/ui.tsx";
import { waiting } from "../queue.ts";
import { erasedAfter, profile } from "../shop.ts";
import { Export } from "./entries.tsx";

const LISTS: [string, string, string][] = [
  ["nav.sales", "/transactions", "sales"],
  ["nav.products", "/products", "products"],
  ["nav.customers", "/customers", "customers"],
  ["baki.collections", "/cashflow/collections", "collections"],
  ["cash.expenses", "/cashflow/expenses", "expenses"],
];

export function ClosePage() {
  const after = erasedAfter();
  if (replaying()) return <Page title={t("close.title")} lead={t("close.lead")} />;
  return (
    <Page title={t("close.title")} lead={t("close.lead")}>
      {after ? <Pending after={after} /> : <Warning />}
      <Copies />
      {!after && <Ask />}
    </Page>
  );
}

/** A button that keeps a shop that was to be erased. */
export function Keep({ tone = "quiet small" }: { tone?: string }) {
  const keep = async () => {
    await post("/business/keep");
    await profile();
    toast(t("close.kept"));
  };
  return (
    <Act class={tone} done={keep}>
      {t("close.keep")}
    </Act>
  );
}

function Pending({ after }: { after: string }) {
  return (
    <Card title={t("close.pending", { at: date(after, "moment") })}>
      <p>{t("close.pending.text")}</p>
      <div class="buttons">
        <Keep tone="primary" />
      </div>
    </Card>
  );
}

function Warning() {
  const unsent = waiting().length;
  return (
    <Card title={t("close.what")}>
      <p>{t("close.what.text")}</p>
      <p class="soft">{t("close.week")}</p>
      {unsent > 0 && <p class="warn">{t("close.unsent", { count: unsent })}</p>}
    </Card>
  );
}

function Ask() {
  const done = async (values: Values) => {
    await remove("/business", { password: values["password"] });
    await profile();
    toast(t("close.asked"));
    scrollTo(0, 0);
  };
  return (
    <Card title={t("close.ask")}>
      <Form submit={t("close.do")} tone="danger" done={done}>
        <Field label={t("password")} name="password" type="password" required autocomplete="current-password" />
      </Form>
    </Card>
  );
}

function Copies() {
  return (
    <Card title={t("close.save")}>
      <p class="soft">{t("close.save.text")}</p>
      <ul class="plain">
        {LISTS.map(([text, path, name]) => (
          <li key={path} class="row bare">
            <span class="main">{t(text)}</span>
            <Export path={path} name={name} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

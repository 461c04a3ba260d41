/** The frame of the operator's console, and its door: only staff gets in. */
import { logIn, logOut } from "../shared/account.ts";
import { Refused, online } from "../shared/api.ts";
import { language, speak, t } from "../shared/i18n.ts";
import { Icon, type IconName } from "../shared/icons.tsx";
import { Link, Routes, path } from "../shared/router.tsx";
import { session } from "../shared/session.ts";
import { useStore } from "../shared/store.ts";
import { Act, Empty, Field, Form, Page, Toast, type Values } from "../shared/ui.tsx";
import { AuditPage } from "./pages/audit.tsx";
import { EventPage, EventsPage } from "./pages/events.tsx";
import { ExplainPage } from "./pages/explain.tsx";
import { GenerationPage, ProjectionsPage } from "./pages/projections.tsx";
import { JobsPage } from "./pages/jobs.tsx";
import { ParkedPage } from "./pages/parked.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { RulesPage } from "./pages/rules.tsx";
import { UsersPage } from "./pages/users.tsx";

const PAGES = {
  "/": OverviewPage,
  "/projections": ProjectionsPage,
  "/generations/:id": GenerationPage,
  "/parked": ParkedPage,
  "/rules": RulesPage,
  "/jobs": JobsPage,
  "/events": EventsPage,
  "/events/:id": EventPage,
  "/explain": ExplainPage,
  "/users": UsersPage,
  "/audit": AuditPage,
};

const TABS: [string, IconName, string][] = [
  ["/", "today", "nav.overview"],
  ["/projections", "layers", "nav.projections"],
  ["/parked", "alert", "nav.parked"],
  ["/rules", "rules", "nav.rules"],
  ["/jobs", "jobs", "nav.jobs"],
  ["/events", "list", "nav.events"],
  ["/explain", "why", "nav.explain"],
  ["/users", "customers", "nav.users"],
  ["/audit", "baki", "nav.audit"],
];

function Missing() {
  return (
    <Page title={t("missing.title")}>
      <Empty icon="alert" title={t("missing.text")}>
        <Link class="primary" to="/">
          {t("nav.overview")}
        </Link>
      </Empty>
    </Page>
  );
}

function Door() {
  const done = async (values: Values) => {
    const user = await logIn(values["email"] ?? "", values["password"] ?? "");
    if (user.is_staff) return;
    await logOut();
    throw new Refused(403, { message: t("door.staff"), suggestions: [t("door.staff.next")] }, null);
  };
  return (
    <main id="main" class="door">
      <img class="mark" src="/icon.svg" alt="" width="64" height="64" />
      <h1 tabIndex={-1}>{t("door.title")}</h1>
      <p class="soft">{t("door.lead")}</p>
      <Form submit={t("door.login")} done={done}>
        <Field label={t("email")} name="email" type="email" required autocomplete="username" />
        <Field label={t("password")} name="password" type="password" required autocomplete="current-password" />
      </Form>
    </main>
  );
}

export function App() {
  useStore();
  const section = path().split("/")[1] ?? "";
  const here = section === "generations" ? "/projections" : `/${section}`;
  const inside = session()?.user.is_staff === true;
  const other = language() === "bn" ? "en" : "bn";
  return (
    <div class={inside ? "framed console" : "console"}>
      <a class="skip" href="#main">
        {t("skip")}
      </a>
      <header class="top">
        <Link class="brand" to="/">
          <img src="/icon.svg" alt="" width="32" height="32" />
          <span>{t("title")}</span>
        </Link>
        {inside && <Act class="icon" done={logOut}>{t("leave")}</Act>}
        <button type="button" class="icon" lang={other} onClick={() => speak(other)}>
          {other === "bn" ? "বাংলা" : "English"}
        </button>
      </header>
      {!online() && (
        <div class="banner" role="status">
          <Icon name="offline" /> {t("offline.title")}
        </div>
      )}
      {inside ? <Routes pages={PAGES} missing={Missing} /> : <Door />}
      {inside && (
        <nav class="tabs" aria-label={t("nav.label")}>
          {TABS.map(([to, icon, text]) => (
            <Link key={to} to={to} aria-current={to === here ? "page" : undefined}>
              <Icon name={icon} />
              {t(text)}
            </Link>
          ))}
        </nav>
      )}
      <Toast />
    </div>
  );
}

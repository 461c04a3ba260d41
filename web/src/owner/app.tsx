/** The frame of the owner's app: what is above and below every page, and which page is shown. */
import { useEffect } from "preact/hooks";
import { online, readFrom, replaying } from "../shared/api.ts";
import { date, language, number, speak, t } from "../shared/i18n.ts";
import { Icon, type IconName } from "../shared/icons.tsx";
import { Link, Routes, go, path } from "../shared/router.tsx";
import { session } from "../shared/session.ts";
import { useStore } from "../shared/store.ts";
import { Empty, Page, Toast } from "../shared/ui.tsx";
import { AdvicePage } from "./pages/advice.tsx";
import { BakiPage } from "./pages/baki.tsx";
import { CashPage } from "./pages/cash.tsx";
import { ClosePage, Keep } from "./pages/close.tsx";
import { CustomerPage, CustomersPage } from "./pages/customers.tsx";
import { Door } from "./pages/door.tsx";
import { EarlierPage, shownDay } from "./pages/earlier.tsx";
import { ForecastPage, ForecastsPage } from "./pages/forecasts.tsx";
import { MorePage } from "./pages/more.tsx";
import { ProductPage, ProductsPage } from "./pages/products.tsx";
import { NewSalePage, SalePage, SalesPage } from "./pages/sales.tsx";
import { ShopPage } from "./pages/shop.tsx";
import { TodayPage } from "./pages/today.tsx";
import { UploadPage, UploadsPage } from "./pages/uploads.tsx";
import { WhyPage } from "./pages/why.tsx";
import { erasedAfter, profile, shopName } from "./shop.ts";
import { waiting } from "./queue.ts";

const PAGES = {
  "/": TodayPage,
  "/sales": SalesPage,
  "/sales/new": NewSalePage,
  "/sales/:id": SalePage,
  "/products": ProductsPage,
  "/products/:id": ProductPage,
  "/customers": CustomersPage,
  "/customers/:id": CustomerPage,
  "/baki": BakiPage,
  "/cash": CashPage,
  "/forecasts": ForecastsPage,
  "/forecasts/:id": ForecastPage,
  "/upload": UploadsPage,
  "/upload/:id": UploadPage,
  "/advice": AdvicePage,
  "/earlier": EarlierPage,
  "/why/:id/:sub": WhyPage,
  "/shop": ShopPage,
  "/shop/close": ClosePage,
  "/more": MorePage,
};

/** Address, icon, text; the last part is in the bar on wide screens only, and under "more" on phones. */
const TABS: [string, IconName, string, string][] = [
  ["/", "today", "nav.today", ""],
  ["/sales", "sales", "nav.sales", ""],
  ["/products", "products", "nav.products", ""],
  ["/customers", "customers", "nav.customers", ""],
  ["/baki", "baki", "nav.baki", "wide"],
  ["/cash", "cash", "nav.cash", "wide"],
  ["/forecasts", "forecast", "nav.forecasts", "wide"],
  ["/upload", "upload", "nav.upload", "wide"],
  ["/earlier", "clock", "nav.earlier", "wide"],
  ["/shop", "shop", "nav.shop", "wide"],
  ["/more", "more", "nav.more", "narrow"],
];

function Missing() {
  return (
    <Page title={t("missing.title")}>
      <Empty icon="alert" title={t("missing.text")}>
        <Link class="primary" to="/">
          {t("nav.today")}
        </Link>
      </Empty>
    </Page>
  );
}

function LanguageButton() {
  const other = language() === "bn" ? "en" : "bn";
  return (
    <button type="button" class="icon" lang={other} onClick={() => speak(other)}>
      {other === "bn" ? "বাংলা" : "English"}
    </button>
  );
}

function Banners() {
  const unsent = waiting().length;
  const erased = erasedAfter();
  return (
    <>
      {erased && path() !== "/shop/close" && (
        <div class="banner bad" role="status">
          <Link to="/shop/close">{t("close.pending", { at: date(erased, "moment") })}</Link>
          <Keep />
        </div>
      )}
      {replaying() && (
        <div class="banner" role="status">
          <Icon name="clock" />
          {t("earlier.banner", { day: date(shownDay(), "full") })}
          <button
            type="button"
            class="quiet small"
            onClick={() => {
              readFrom(null);
              go("/");
            }}
          >
            {t("earlier.leave")}
          </button>
        </div>
      )}
      {!online() && (
        <div class="banner" role="status">
          <Icon name="offline" /> {t("offline.banner")}
        </div>
      )}
      {unsent > 0 && (
        <div class="banner" role="status">
          <Link to="/sales">{t("queue.banner", { count: number(unsent) })}</Link>
        </div>
      )}
    </>
  );
}

export function App() {
  useStore();
  const here = `/${path().split("/")[1] ?? ""}`;
  const user = session()?.user.id;
  const inside = user !== undefined;
  useEffect(() => {
    if (inside) void profile().catch(() => undefined); // a page that needs it says what is wrong
  }, [user]);
  const adds = !replaying() && ["/", "/sales"].includes(path());
  return (
    <div class={inside ? "framed" : ""}>
      <a class="skip" href="#main">
        {t("skip")}
      </a>
      <header class="top">
        <Link class="brand" to="/">
          <img src="/icon.svg" alt="" width="32" height="32" />
          <span>{inside ? shopName() : "SmartMarket"}</span>
        </Link>
        <LanguageButton />
      </header>
      {inside && <Banners />}
      {inside ? <Routes pages={PAGES} missing={Missing} /> : <Door />}
      {inside && adds && (
        <Link class="fab" to="/sales/new">
          <Icon name="plus" /> {t("sales.add")}
        </Link>
      )}
      {inside && (
        <nav class="tabs" aria-label={t("nav.label")}>
          {TABS.map(([to, icon, text, where]) => (
            <Link key={to} class={where} to={to} aria-current={to === here ? "page" : undefined}>
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

/** The operator's story: what serves, a rebuild, a preview that is adopted, an explained row, and who did what. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BASE, launch, logIn, open } from "./browser.mjs";

const [language = "en", size = "desktop"] = process.argv.slice(2);
const texts = JSON.parse(readFileSync(new URL(`../src/messages/console.${language}.json`, import.meta.url), "utf8"));
const t = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const browser = await launch();
const { page, visit, check, settled, finish } = await open(browser, { language, size });
const sheet = page.locator("dialog[open]");
const confirm = () => sheet.getByRole("button", { name: t("confirm") }).click();
const state = (name) => page.locator(".card .chip", { hasText: t(`state.${name}`) }).first().waitFor({ timeout: 60_000 });

// Only staff comes in.
await page.goto(`${BASE}/console`);
await check("console-door");
await page.fill("input[name=email]", process.env.OWNER_EMAIL);
await page.fill("input[name=password]", process.env.OWNER_PASSWORD);
await page.click("button[type=submit]");
await page.locator(".problem").waitFor();
await logIn(page, { email: process.env.STAFF_EMAIL, password: process.env.STAFF_PASSWORD });
await visit("/console");

// A rebuild and a verification, watched until they end.
await visit("/console/projections");
const row = (name) => page.locator("tr", { hasText: t(`projection.${name}`) }).first();
await row("customers").getByRole("button", { name: t("verify") }).click();
await check("console-confirm");
await confirm();
await page.waitForURL(/generations\/\d+/);
await page.getByText(t("verification.equal")).waitFor({ timeout: 60_000 });
await check("console-verified");
await page.goto(`${BASE}/console/projections`);
await row("customers").getByRole("button", { name: t("rebuild") }).click();
await confirm();
await page.waitForURL(/generations\/\d+/);
await state("live");
await check("console-rebuilt");

// Rules are tried, then adopted.
await visit("/console/rules");
await page.getByLabel("recency_days 1", { exact: true }).fill(size === "desktop" ? "3" : "4");
await page.getByLabel("recency_days 1", { exact: true }).blur();
await page.getByRole("button", { name: t("rules.preview", { projection: t("projection.customers") }) }).first().click();
await page.waitForURL(/generations\/\d+/);
await page.getByText(t("preview.title")).waitFor({ timeout: 60_000 });
await check("console-preview");
await page.getByRole("button", { name: t("adopt"), exact: true }).click();
await confirm();
await state("live");
await page.goto(`${BASE}/console/rules`);
await page.locator(".chip", { hasText: /rfm\.v1\.\d/ }).first().waitFor();

// What happened, in the log and in words; filters stand in the address.
await visit("/console/events?topic=rules.RuleActivated");
await page.locator("summary.row").first().click();
await page.getByRole("link", { name: t("events.open") }).first().click();
await page.waitForURL(/events\/\d+/);
await page.locator(".causation [aria-current=step]").waitFor();
await check("console-event");
await visit("/console/events");
await page.locator("input[name=topic]").fill("sales.UploadCompleted");
await page.locator("input[name=topic]").blur();
await page.waitForURL(/topic=sales\.UploadCompleted/);
await settled();
await page.locator("summary.row").first().click();
await page.getByRole("link", { name: t("events.open") }).first().click();
await page.waitForURL(/events\/\d+/);
await page.locator(".causation a").first().click();
await page.locator("h1", { hasText: "sales.UploadAccepted" }).waitFor();
await check("console-causation");
await visit(`/console/events?actor=${encodeURIComponent("user-1")}&since=2020-01-01T00:00&until=2099-01-01T00:00`);

// Nothing is parked, and the state of the log is shown.
await visit("/console/parked");
await page.getByText(t("parked.none"), { exact: true }).waitFor();
await page.goto(`${BASE}/console`);
await page.getByText(t("log.checkpoint")).waitFor();
await visit(`/console/explain?table=churn&business_id=${process.env.BUSINESS}&id=1`);
await page.getByRole("button", { name: t("previous") }).click();
await visit("/console/jobs?state=all");
await page.locator("select[name=state]").selectOption("done");
await page.waitForURL(/state=done/);
await visit("/console/users");
await visit("/console/audit");
const saved = page.waitForEvent("download");
await page.locator(".head button").click();
assert.match(readFileSync(await (await saved).path(), "utf8"), /^timestamp,actor/);

await finish();
await browser.close();

/** The owner's whole story, in one language and size: from an empty shop to reasons and an earlier day. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { launch, logIn, open, register } from "./browser.mjs";

const [language = "bn", size = "phone"] = process.argv.slice(2);
const texts = JSON.parse(readFileSync(new URL(`../src/messages/owner.${language}.json`, import.meta.url), "utf8"));
const shared = JSON.parse(readFileSync(new URL(`../src/messages/shared.${language}.json`, import.meta.url), "utf8"));
const t = (key) => texts[key] ?? shared[key];

const browser = await launch();
const { page, context, visit, check, settled, finish } = await open(browser, { language, size });
const button = (key) => page.getByRole("button", { name: t(key), exact: true });
const sheet = page.locator("dialog[open]");
const submit = (place = page) => place.locator("button[type=submit]");

// An empty shop says what to do, and the sample ledger is one tap away.
await page.goto(`${process.env.BASE}/`);
await check("login");
const account = await register(page);
await check("first-steps");
for (const path of ["/sales", "/products", "/customers", "/baki", "/cash", "/forecasts", "/upload", "/advice"]) await visit(path);
await visit("/");
await button("first.sample.do").click();
await page.waitForURL(/\/upload\/.+/);
await page.getByText(t("upload.completed.title")).waitFor();
await check("upload-completed");
const rejected = page.waitForEvent("download");
await button("upload.rejected.get").click();
const file = await rejected;
assert.match(readFileSync(await file.path(), "utf8"), /QUANTITY_OUT_OF_RANGE/);

// The shop is full now.
await visit("/");
await visit("/customers");
await visit("/products");

// A sale is added, found, explained and voided.
await visit("/sales/new");
await page.fill("input[name=product]", "Coffee");
await page.fill("input[name=quantity]", language === "bn" ? "৩" : "3");
await page.fill("input[name=amount]", language === "bn" ? "১৮০" : "180");
await submit().click();
await page.locator(".toast p.good").waitFor();
await visit("/sales");
await page.locator("a.row", { hasText: "Coffee" }).first().click();
await check("sale");
await page.getByRole("link", { name: t("why") }).click();
await check("why-sale");
await page.goBack();
await button("sales.void").first().click();
await sheet.locator("input[name=reason]").fill("দুবার লেখা");
await check("void");
await submit(sheet).click();
await page.waitForURL(/\/sales$/);

// Stock is counted, and a price is changed.
await page.goto(`${process.env.BASE}/products`);
await page.locator("a.row").first().click();
await button("move.count").click();
await sheet.locator("input[name=quantity]").fill("40");
await submit(sheet).click();
await sheet.waitFor({ state: "detached" });
await page.getByText(language === "bn" ? "৪০" : "40").first().waitFor();
await check("product");
await button("change").click();
await sheet.locator("input[name=cost]").fill("12.5");
await submit(sheet).click();
await sheet.waitFor({ state: "detached" });

// A customer gets a phone number, and with it a message to send.
await page.goto(`${process.env.BASE}/customers?view=risk`);
await page.locator("a.row").first().click();
await button("customer.phone.add").click();
await sheet.locator("input[name=phone]").fill("01712345678");
await submit(sheet).click();
await sheet.waitFor({ state: "detached" });
const link = await page.getByRole("link", { name: t("customer.write") }).getAttribute("href");
assert.match(link, /^https:\/\/wa\.me\/8801712345678\?text=/);
await check("customer");
await button("customer.merge").click();
await check("merge");
await page.keyboard.press("Escape");

// What is owed is collected; cash and expenses are entered.
await visit("/baki");
await page.locator("button.row").first().click();
await sheet.locator("input[name=amount]").fill("10");
await check("collect");
await submit(sheet).click();
await sheet.waitFor({ state: "detached" });
await visit("/cash");
await button("cash.enter").click();
await sheet.locator("input[name=balance]").fill("30000");
await sheet.locator("input[name=threshold]").fill("20000");
await submit(sheet).click();
await sheet.waitFor({ state: "detached" });
await page.getByRole("button", { name: t("add") }).click();
await sheet.locator("input[name=category]").fill("ভাড়া");
await sheet.locator("input[name=amount]").fill("6000");
await sheet.locator("select[name=recurring]").selectOption("monthly");
await check("expense");
await submit(sheet).click();
await sheet.waitFor({ state: "detached" });
await page.getByText("ভাড়া").first().waitFor();
await check("cash-known");

// Advice is done or not now.
await visit("/advice");
const cards = await page.locator(".advice").count();
if (cards > 0) {
  await button("advice.do").first().click();
  await submit(sheet).click();
  await sheet.locator(".buttons button.primary").waitFor();
  await check("advice-done");
  await sheet.locator(".buttons button.primary").click();
}
await visit("/forecasts");

// An earlier day: every page as known then, under a banner, and nothing to change.
await visit("/earlier");
await submit().click();
await page.getByText(t("earlier.leave")).waitFor({ timeout: 60_000 });
await check("earlier-today");
assert.equal(await page.locator(".fab").count(), 0);
await button("earlier.leave").click();
await page.locator(".fab").waitFor();

// The shop, the language by one tap, and back.
await visit("/shop");
await visit("/more");
await page.locator("header button.icon").click();
await page.waitForFunction((other) => document.documentElement.lang === other, language === "bn" ? "en" : "bn");
await check("more-other");
await page.locator("header button.icon").click();

// A session that ended returns to where one was.
await page.goto(`${process.env.BASE}/customers?view=risk`);
await settled();
await page.evaluate(() => {
  const key = "smartmarket.owner.session";
  const kept = JSON.parse(localStorage.getItem(key));
  localStorage.setItem(key, JSON.stringify({ ...kept, access: "ended", refresh: "ended" }));
});
await page.reload();
await page.waitForSelector("input[name=password]");
await logIn(page, account);
assert.match(page.url(), /\/customers\?view=risk$/);
await page.locator("a.row").first().waitFor();

// Two tabs: who logs out in one is out in the other, and who logs in is in.
const second = await context.newPage();
await second.goto(`${process.env.BASE}/shop`);
await second.getByRole("button", { name: t("leave"), exact: true }).click();
await page.waitForSelector("input[name=password]");
await logIn(second, account);
await page.waitForSelector("nav.tabs");
await second.close();

// Customers are found by their words, and by segment.
await visit("/customers?q=zzz");
await page.getByText(t("customers.not.found")).waitFor();
await page.locator("input[type=search]").fill("fat");
await page.waitForURL(/q=fat/);
await visit("/customers?segment=at_risk");

// Names are text, whatever they hold.
const hostile = `<img src=x onerror=alert(1)> مرحبا ${"অ".repeat(255)}`.slice(0, 255);
await page.goto(`${process.env.BASE}/sales/new`);
await page.fill("input[name=product]", hostile);
await page.fill("input[name=amount]", "10");
await submit().click();
await page.locator(".toast p.good").waitFor();
await visit("/sales");
assert.equal(await page.locator("img[src=x]").count(), 0);

await finish();
await browser.close();

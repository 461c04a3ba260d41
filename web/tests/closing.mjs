/** An owner has the shop erased, sees on every page until when it can be kept, and keeps it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BASE, launch, open, register } from "./browser.mjs";

const [language = "bn", size = "phone"] = process.argv.slice(2);
const texts = JSON.parse(readFileSync(new URL(`../src/messages/owner.${language}.json`, import.meta.url), "utf8"));
const t = (key) => texts[key];

const browser = await launch();
const { page, check, visit, settled, calls, finish } = await open(browser, { language, size });
const button = (key) => page.getByRole("button", { name: t(key), exact: true });
const submit = page.locator("main button[type=submit]");
const banner = page.locator(".banner.bad");

const account = await register(page);
await page.goto(`${BASE}/shop`);
await page.getByRole("link", { name: t("close.title") }).click();
await page.waitForURL(/\/shop\/close$/);
await check("closing");
assert.equal(await banner.count(), 0);

// A list can be saved before.
const saved = page.waitForEvent("download");
await page.getByRole("button", { name: texts["export.csv"] }).first().click();
assert.match(readFileSync(await (await saved).path(), "utf8"), /^\uFEFF?(id|আইডি),/i);

// A wrong password is sent once, refused beside the button, and ends no session.
calls.length = 0;
await page.fill("input[name=password]", "Wrong-Password-2026");
await submit.click();
await page.locator(".problem").waitFor();
assert.deepEqual(calls, ["DELETE /api/business"]);

// With the right one the shop is to be erased, which every page says.
await page.fill("input[name=password]", account.password);
await submit.click();
await button("close.keep").waitFor();
await check("closing-asked");
for (const path of ["/", "/sales", "/products", "/customers", "/baki", "/cash", "/forecasts", "/upload", "/advice", "/earlier", "/shop", "/more", "/sales/new"]) {
  await visit(path);
  await banner.waitFor();
}

// One tap keeps it, and no page says so any more.
await banner.getByRole("button", { name: t("close.keep") }).click();
await banner.waitFor({ state: "detached" });
await page.goto(`${BASE}/shop/close`);
await page.locator("input[name=password]").waitFor();
await settled();
assert.equal(await banner.count(), 0);

await finish();
await browser.close();

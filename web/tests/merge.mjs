/** Two customers of one name, one of them with a phone: the app offers to merge them, and one tap and a yes does it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BASE, launch, open, register } from "./browser.mjs";

const [language = "bn", size = "phone"] = process.argv.slice(2);
const texts = JSON.parse(readFileSync(new URL(`../src/messages/owner.${language}.json`, import.meta.url), "utf8"));
const t = (key) => texts[key];
const LEDGER = "Date,Customer,Phone,Product,Quantity,Amount\n2025-10-20,Rahim Mia,,Rice,1,100\n2025-10-21,Rahim Mia,01712345678,Rice,1,250\n";

const browser = await launch();
const { page, check, finish } = await open(browser, { language, size });
const sheet = page.locator("dialog[open]");

await register(page);
await page.goto(`${BASE}/upload`);
await page.setInputFiles("input[name=ledger]", { name: "rahim.csv", mimeType: "text/csv", buffer: Buffer.from(LEDGER) });
await page.getByRole("button", { name: t("upload.look"), exact: true }).click();
await page.locator("form button[type=submit]", { hasText: t("upload.send") }).click();
await page.waitForURL(/\/upload\/.+/);
await page.getByText(t("upload.completed.title")).waitFor();

await page.goto(`${BASE}/customers`);
const people = page.locator("a.row", { hasText: "Rahim Mia" });
await people.nth(1).waitFor();
await people.first().click();
await page.getByRole("button", { name: t("customer.merge.same"), exact: true }).click();
await sheet.getByText("+8801712345678").waitFor();
await check("merge-offered");
await sheet.locator("button[type=submit]").click();
await sheet.waitFor({ state: "detached" });
await page.getByRole("button", { name: t("customer.merge.same"), exact: true }).waitFor({ state: "detached" });
await page.goto(`${BASE}/customers`);
await people.first().waitFor();
assert.equal(await people.count(), 1);

await finish();
await browser.close();

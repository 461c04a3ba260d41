/** A corrupted row is found by a verification, named, repaired by a rebuild of its shop, and found equal. */
import { readFileSync } from "node:fs";
import { BASE, launch, logIn, open } from "./browser.mjs";

const texts = JSON.parse(readFileSync(new URL("../src/messages/console.en.json", import.meta.url), "utf8"));
const browser = await launch();
const { page, check, finish } = await open(browser, { language: "en", size: "desktop" });

async function ask(what) {
  await page.goto(`${BASE}/console/projections?business_id=${process.env.BUSINESS}`);
  await page.locator("tr", { hasText: texts["projection.customers"] }).first().getByRole("button", { name: texts[what] }).click();
  await page.locator("dialog[open]").getByRole("button", { name: texts.confirm }).click();
  await page.waitForURL(/generations\/\d+/);
}

await page.goto(`${BASE}/console`);
await logIn(page, { email: process.env.STAFF_EMAIL, password: process.env.STAFF_PASSWORD });
await ask("verify");
await page.getByText(texts["verification.differs"]).waitFor({ timeout: 60_000 });
await page.locator("pre").first().waitFor();
await check("console-corrupted");
await ask("rebuild");
await page.locator(".card .chip", { hasText: texts["state.completed"] }).first().waitFor({ timeout: 60_000 });
await ask("verify");
await page.getByText(texts["verification.equal"]).waitFor({ timeout: 60_000 });
await check("console-repaired");
await finish();
await browser.close();

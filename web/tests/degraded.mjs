/** Where no background process says that it lives, the overview says so and still shows every service. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BASE, launch, open } from "./browser.mjs";

const texts = JSON.parse(readFileSync(new URL("../src/messages/console.bn.json", import.meta.url), "utf8"));
const browser = await launch();
const { page, check, finish } = await open(browser);
await page.goto(`${BASE}/console`);
await page.fill("input[name=email]", process.env.STAFF_EMAIL);
await page.fill("input[name=password]", process.env.STAFF_PASSWORD);
await page.click("button[type=submit]");
await page.locator(".problem").waitFor();
const states = async (name) => (await page.locator(".card", { hasText: texts[`service.${name}`] }).first().locator(".chip").innerText()).trim();
assert.equal(await states("database"), texts["health.ok"]);
assert.equal(await states("redis"), texts["health.ok"]);
assert.equal(await states("celery_workers"), texts["health.error"]);
await page.locator("tbody tr").first().waitFor();
const title = page.locator(".brand span");
assert.equal(await title.evaluate((of) => of.scrollWidth - of.clientWidth), 0, "the title of the console is cut");
await check("console-degraded");
await finish();
await browser.close();

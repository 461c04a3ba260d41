/** A login link logs in once, leaves the address at once, and says so where it no longer works. */
import assert from "node:assert/strict";
import { BASE, launch, open } from "./browser.mjs";

const browser = await launch();
const { page, settled, shot, finish } = await open(browser);
const LINK = `${BASE}/#login=${process.env.CODE}`;
await page.goto(LINK);
await page.locator("nav.tabs").waitFor();
assert.equal(new URL(page.url()).hash, "");
await settled();
await page.evaluate(() => localStorage.removeItem("smartmarket.owner.session"));
await page.goto(`${BASE}/shop`);
await page.goto(LINK);
await page.locator(".toast p.bad").waitFor();
await page.locator("input[name=password]").waitFor();
await shot("link-used");
await finish();
await browser.close();

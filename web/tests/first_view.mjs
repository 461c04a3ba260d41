/** The first view on a slow phone: 400 kbit/s, 300 ms, nothing cached. Prints milliseconds. */
import assert from "node:assert/strict";
import { BASE, launch, open } from "./browser.mjs";

const LIMIT_MS = 2500;
const browser = await launch();
const { page, context, finish } = await open(browser);
const client = await context.newCDPSession(page);
await client.send("Network.enable");
await client.send("Network.emulateNetworkConditions", { offline: false, latency: 300, downloadThroughput: 50_000, uploadThroughput: 50_000 });
const started = performance.now();
await page.goto(`${BASE}/`, { waitUntil: "commit" });
await page.locator("h1").waitFor();
const took = Math.round(performance.now() - started);
console.log(took);
assert.ok(took <= LIMIT_MS, `the first view took ${took} ms`);
await finish();
await browser.close();

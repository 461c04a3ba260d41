/** Without a network: the app opens with the last answers and says so; sales wait and arrive once. */
import assert from "node:assert/strict";
import { launch, mortal, open, register } from "./browser.mjs";

const server = await mortal(process.env.BASE);
const browser = await launch();
const { page, check, settled, finish } = await open(browser, { base: server.url, worker: "allow" });

async function sell(amount) {
  await page.fill("input[name=product]", "চা");
  await page.fill("input[name=amount]", String(amount));
  await page.click("button[type=submit]");
  await page.waitForFunction(() => document.querySelector("input[name=amount]")?.value === "");
}

async function sales() {
  return page.evaluate(async () => {
    const { access } = JSON.parse(localStorage.getItem("smartmarket.owner.session"));
    const answer = await fetch("/api/transactions?limit=50", { headers: { Authorization: `Bearer ${access}` } });
    return (await answer.json()).data.results.map((sale) => sale.amount).sort((a, b) => a - b);
  });
}

const waiting = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("smartmarket.queue.")).flatMap((key) => JSON.parse(localStorage.getItem(key))).length);

await register(page, server.url);
await page.evaluate(() => navigator.serviceWorker.ready);
await page.goto(`${server.url}/sales/new`);
await sell(10);
await page.goto(`${server.url}/sales`);
await settled();
await page.goto(`${server.url}/`);
await settled();

// The server is gone: the app still opens, with what it knew.
await server.kill();
await page.goto(`${server.url}/sales`);
await page.locator(".banner").first().waitFor();
await page.locator("a.row", { hasText: "চা" }).waitFor();
await page.goto(`${server.url}/sales/new`);
await sell(20);
await sell(30);
assert.equal(await waiting(), 2);
await page.goto(`${server.url}/sales`);
await page.locator(".banner a").waitFor();
await check("offline-sales");

// It is back: what waited is sent, once.
await server.revive();
await page.evaluate(() => dispatchEvent(new Event("online")));
await page.waitForFunction(() => !document.querySelector(".banner"), undefined, { timeout: 60_000 });
assert.equal(await waiting(), 0);
await page.goto(`${server.url}/sales/new`);
await settled();
assert.deepEqual(await sales(), [10, 20, 30]);

// The server takes a sale, and its answer is lost: sent again under the same key, it is there once.
server.loseAnswers("POST /api/transactions ");
await sell(40);
assert.equal(await waiting(), 1);
server.loseAnswers(null);
await page.evaluate(() => dispatchEvent(new Event("online")));
await page.waitForFunction(() => !document.querySelector(".banner"), undefined, { timeout: 60_000 });
assert.equal(await waiting(), 0);
await page.goto(`${server.url}/sales/new`);
await settled();
assert.deepEqual(await sales(), [10, 20, 30, 40]);

await finish();
await browser.close();
await server.kill();

/** What the browser stories share: Chromium, pages that note every problem, accessibility, pictures, a server that dies. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import net from "node:net";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const SIZES = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 860 } };
const MOST_CALLS = 6;
const QUIET = 6;

export const BASE = process.env.BASE ?? "http://127.0.0.1:8000";
const SHOTS = process.env.SHOTS ?? "shots";

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

/** A page of its own context; `visit` checks what every page must keep to, and `finish` that nothing was violated. */
export async function open(browser, { language = "bn", size = "phone", dark = false, base = BASE, worker = "block" } = {}) {
  const context = await browser.newContext({
    viewport: SIZES[size],
    deviceScaleFactor: size === "phone" ? 2 : 1,
    colorScheme: dark ? "dark" : "light",
    serviceWorkers: worker,
    acceptDownloads: true,
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(60_000);
  await context.addInitScript((chosen) => {
    if (!localStorage.getItem("smartmarket.language")) localStorage.setItem("smartmarket.language", chosen);
    addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  }, language);
  const page = await context.newPage();
  const problems = [];
  const calls = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.text().includes("CSP") && problems.push(message.text()));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.origin !== base) problems.push(`outside request: ${url}`);
    if (url.pathname.startsWith("/api/") && url.pathname !== "/api/events/stream") calls.push(`${request.method()} ${url.pathname}${url.search}`);
  });
  const name = (text) => `${text.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "") || "index"}-${language}-${size}${dark ? "-dark" : ""}`;

  // The stream of notices stays open, so the network is never idle: every other request must have its answer.
  const pending = new Set();
  const streams = (request) => new URL(request.url()).pathname === "/api/events/stream";
  page.on("request", (request) => streams(request) || pending.add(request));
  for (const event of ["requestfinished", "requestfailed"]) page.on(event, (request) => pending.delete(request));
  const settled = async () => {
    await page.waitForLoadState("load");
    for (let quiet = 0; quiet < QUIET; quiet = pending.size === 0 ? quiet + 1 : 0) await page.waitForTimeout(50);
    await page.waitForFunction(() => !document.querySelector(".skeleton, .stale, [aria-busy=true]"));
  };
  const shot = async (text) => {
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: `${SHOTS}/${name(text)}.png`, fullPage: true });
  };
  /** Accessibility, width, and a picture of what is shown now. */
  const check = async (text) => {
    await settled();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${text} is ${wide} px wider than the screen`);
    assert.equal(await page.locator("h1").count(), 1, `${text} has one heading`);
    await page.evaluate(AXE);
    const violations = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ["violations"] })).violations);
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`), [], `${text}: accessibility`);
    const keys = await page.evaluate(() => document.body.innerText.match(/\b[a-z]+(\.[a-z_]+)+\b/g) ?? []);
    assert.deepEqual(keys.filter((key) => !key.includes("smartmarket.example") && !key.endsWith(".csv") && /^(nav|today|sales|upload|col|method|state|kind|rule|projection|filter|option|service|process|segment|risk|unit|stock|cash|baki|line|basis|every|move|terms|theme|type|why|queue|first|door|earlier|forecast|customers?|products?|advice)\.[a-z_.]+$/.test(key) && !TOPICS.test(key)), [], `${text} shows keys of texts`);
    await shot(text);
  };
  const visit = async (path) => {
    calls.length = 0;
    await page.goto(base + path);
    await settled();
    assert.ok(calls.length <= MOST_CALLS, `${path} made ${calls.length} calls: ${calls.join(", ")}`);
    await check(path);
  };
  const finish = async () => {
    await context.close();
    assert.deepEqual(problems, []);
  };
  return { page, context, calls, problems, settled, shot, check, visit, finish };
}

// Topics of events look like keys of texts.
const TOPICS = /^(sales|customers|inventory|clock|rules|recommendations|forecasting|identity|cashflow)\.[A-Z]/;

/** A server in front of `target` that can be killed, brought back at its port, and told to lose answers. */
export async function mortal(target) {
  const { hostname, port } = new URL(target);
  const sockets = new Set();
  let server;
  let losing = null;
  const accept = (client) => {
    const upstream = net.connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => undefined);
    }
    client.on("data", (data) => {
      if (losing && data.includes(losing)) client.lost = true;
      upstream.write(data);
    });
    upstream.on("data", (data) => {
      if (client.lost) {
        client.destroy();
        upstream.destroy();
      } else client.write(data);
    });
    client.on("end", () => upstream.end());
    upstream.on("end", () => client.end());
  };
  const start = (at = 0) =>
    new Promise((resolve) => {
      server = net.createServer(accept).listen(at, "127.0.0.1", () => resolve(server.address().port));
    });
  const own = await start();
  return {
    url: `http://127.0.0.1:${own}`,
    kill: () =>
      new Promise((resolve) => {
        server.close(resolve);
        for (const socket of sockets) socket.destroy();
      }),
    revive: () => start(own),
    /** From now on requests that hold `text` reach the server and their answers are lost; null: no more. */
    loseAnswers: (text) => {
      losing = text;
    },
  };
}

/** Waits until the app is shown; fails with what was refused. */
async function inside(page) {
  await page.waitForSelector("nav.tabs, .problem");
  assert.deepEqual(await page.locator(".problem").allInnerTexts(), []);
}

export async function register(page, base = BASE) {
  const email = `owner-${crypto.randomUUID().slice(0, 8)}@smartmarket.example`;
  await page.goto(`${base}/register`);
  await page.fill("input[name=business_name]", "করিম স্টোর");
  await page.fill("input[name=first_name]", "করিম");
  await page.fill("input[name=email]", email);
  await page.fill("input[name=password]", "Bokul-Gach-2026-x");
  await page.click("button[type=submit]");
  await inside(page);
  return { email, password: "Bokul-Gach-2026-x" };
}

export async function logIn(page, { email, password }) {
  await page.fill("input[name=email]", email);
  await page.fill("input[name=password]", password);
  await page.click("button[type=submit]");
  await inside(page);
}

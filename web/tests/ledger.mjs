/** A ledger with questions: shown before it counts, answered, uploaded; and one that waits, answered on its own page. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BASE, launch, open, register } from "./browser.mjs";

const [language = "bn", size = "phone"] = process.argv.slice(2);
const texts = JSON.parse(readFileSync(new URL(`../src/messages/owner.${language}.json`, import.meta.url), "utf8"));
const t = (key) => texts[key];
const LEDGER = "Date,Product,Quantity,Price,Status\n2025-04-03,Tea,2,20,New\n2025-04-05,Cake,3,30,Paid\n,,,,\nTotal,,5,50,\n2025-04-31,Tea,1,10,Paid\n";

const browser = await launch();
const { page, check, settled, visit, finish } = await open(browser, { language, size });
const button = (key) => page.getByRole("button", { name: t(key), exact: true });
const facts = async () => (await page.locator("dl.facts").first().innerText()).replace(/\s+/g, " ");
const choose = (value) => page.locator(`input[type=radio][value=${value}]`).first().check();

async function sums() {
  return page.evaluate(async () => {
    const { access } = JSON.parse(localStorage.getItem("smartmarket.owner.session"));
    const answer = await fetch("/api/transactions?limit=1", { headers: { Authorization: `Bearer ${access}` } });
    return (await answer.json()).data.summary.total_revenue;
  });
}

await register(page);

// Nothing counts before the questions are answered, and each answer says what it would change.
await visit("/upload");
await page.setInputFiles("input[name=ledger]", { name: "status.csv", mimeType: "text/csv", buffer: Buffer.from(LEDGER) });
await button("upload.look").click();
await page.locator("fieldset.question").first().waitFor();
await check("ledger-questions");
const questions = await page.locator("fieldset.question").count();
assert.ok(questions >= 2, `${questions} questions`);
assert.ok(await button("upload.send").isDisabled());
const effects = await page.locator("fieldset.question").filter({ has: page.locator("input[value=line]") }).locator("small").allInnerTexts();
assert.equal(new Set(effects).size, effects.length, `the answers differ: ${effects}`);
await choose("line");
await settled();
const before = await facts();
await choose("unit");
await settled();
assert.notEqual(await facts(), before);
await choose("sale");
await page.waitForFunction((text) => !document.querySelector("form button[type=submit]").disabled && document.querySelector("form button[type=submit]").innerText === text, t("upload.send"));
for (const key of ["upload.columns", "upload.sample"]) await page.locator("summary", { hasText: t(key) }).click();
await check("ledger-answered");
assert.equal(await sums(), 0);
await button("upload.send").click();
await page.waitForURL(/\/upload\/.+/);
await page.getByText(t("upload.completed.title")).waitFor();
assert.equal(await sums(), 130);
const saved = page.waitForEvent("download");
await button("upload.rejected.get").click();
assert.match(readFileSync(await (await saved).path(), "utf8"), /INVALID_DATE/);

// One that another client has uploaded waits for the same answers.
const waiting = await page.evaluate(async (ledger) => {
  const { access } = JSON.parse(localStorage.getItem("smartmarket.owner.session"));
  const form = new FormData();
  form.append("file", new Blob([ledger.replaceAll("2025-04", "2025-05").replaceAll("New", "Parked")]), "waits.csv");
  const answer = await fetch("/api/data/upload-csv", { method: "POST", headers: { Authorization: `Bearer ${access}` }, body: form });
  return (await answer.json()).data.file_id;
}, LEDGER);
await page.goto(`${BASE}/upload/${waiting}`);
await page.getByText(t("upload.waiting.title")).waitFor();
await check("ledger-waiting");
assert.ok(await button("question.answer").isDisabled());
for (const group of await page.locator("fieldset.question").all()) await group.locator("input[type=radio]").first().check();
await button("question.answer").click();
await page.getByText(t("upload.completed.title")).waitFor();
assert.ok((await sums()) > 130);
await page.goto(`${BASE}/upload`);
await page.getByText("waits.csv").waitFor();

// What is no ledger is refused with what to do, and the file can be chosen again.
await page.setInputFiles("input[name=ledger]", { name: "letter.csv", mimeType: "text/csv", buffer: Buffer.from("Dear Sir,\nno ledger here\n") });
await button("upload.look").click();
await page.locator(".problem").waitFor();
await check("ledger-refused");

await finish();
await browser.close();

/**
 * A client's whole way through the API, written against generated types alone: an owner opens a shop, uploads a ledger,
 * reads what became of it and does what is recommended; an operator looks at the installation. `make test-types` checks it
 * with `tsc --strict` and runs it against a running system.
 */
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";

type Schemas = components["schemas"];
const { BASE, LEDGER, STAFF_EMAIL = "", STAFF_PASSWORD = "" } = process.env;
assert.ok(BASE && LEDGER, "BASE and LEDGER must be set");

const api = createClient<paths>({ baseUrl: BASE });
const PATIENCE_MS = 180_000;
const PAUSE_MS = 200;

/** The data of an answer that is no CSV; fails with the API's own words where it refused. */
async function data<T>(sent: Promise<{ data?: { data: T } | string | undefined; error?: unknown; response: Response }>): Promise<T> {
  const { data: found, error, response } = await sent;
  assert.ok(found && typeof found !== "string", `${response.url}: ${response.status} ${JSON.stringify(error)}`);
  return found.data;
}

/** Reads again and again until `done` holds. */
async function until<T>(read: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; ; ) {
    const value = await read();
    if (done(value)) return value;
    assert.ok(Date.now() < end, `still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

const authorized = (token: string) => ({ Authorization: `Bearer ${token}` });

function asForm(parts: Record<string, Blob | string>): FormData {
  const form = new FormData();
  for (const [name, part] of Object.entries(parts)) if (typeof part === "string") form.append(name, part);
    else form.append(name, part, name === "file" ? "sales_may_2025.csv" : "receipt.png");
  return form;
}

/** Registers and logs in; returns the headers of the owner. */
async function openShop(): Promise<{ Authorization: string }> {
  const email = `owner-${crypto.randomUUID().slice(0, 8)}@shop.example`;
  const password = "Bokul-Gach-2026-x";
  const { business, user } = await data(
    api.POST("/api/auth/register", {
      body: { email, password, first_name: "Ali", business_name: "Ali's Tea Shop", business_type: "restaurant", language: "bn" },
    }),
  );
  assert.equal(user.business_id, business.id);
  const taken = await api.POST("/api/auth/register", { body: { email, password, first_name: "Ali", business_name: "Again", business_type: "retail", language: "en" } });
  assert.equal(taken.response.status, 409);
  const code: Schemas["ErrorCode"] | undefined = taken.error?.error_code;
  assert.ok(code);
  const session = await data(api.POST("/api/auth/login", { body: { email, password } }));
  const { access_token } = await data(api.POST("/api/auth/token/refresh", { body: { refresh_token: session.refresh_token } }));
  const profile = await data(api.GET("/api/business/profile", { headers: authorized(access_token) }));
  assert.deepEqual([profile.stats.total_transactions, profile.is_demo], [0, false]);
  return authorized(access_token);
}

/** Uploads a ledger and a receipt; waits until the ledger has been read. */
async function upload(headers: { Authorization: string }, ledger: string): Promise<Schemas["UploadDetails"]> {
  const file = new Blob([ledger], { type: "text/csv" });
  const serialized = { bodySerializer: (body: unknown) => asForm(body as Record<string, Blob | string>) };
  const accepted = await data(
    api.POST("/api/data/upload-csv", { headers, body: { file: file as unknown as string, data_source_name: "May 2025 Sales" }, ...serialized }),
  );
  const read = await until(
    () => data(api.GET("/api/data/uploads/{file_id}", { headers, params: { path: { file_id: accepted.file_id } } })),
    ({ state }) => state !== "pending" && state !== "processing",
  );
  assert.equal(read.state, "completed");
  assert.equal(read.rows, read.created + read.duplicates + read.rejected + read.left_out);
  const nothing = await api.POST("/api/data/upload-receipt", { headers, body: { image: new Blob(["no picture"]) as unknown as string }, ...serialized });
  assert.equal(nothing.response.status, 400);
  return read;
}

/** Reads the lists with filters and sorts, page by page. */
async function look(headers: { Authorization: string }, created: number): Promise<number> {
  const sales = await until(
    () => data(api.GET("/api/transactions", { headers, params: { query: { limit: 50, sort: "amount", order: "desc" } } })),
    ({ count }) => count === created,
  );
  const [first] = sales.results;
  assert.ok(first);
  const amount: number = first.amount;
  assert.ok(amount >= (sales.results.at(-1)?.amount ?? 0));
  const method: Schemas["PaymentMethod"] = "bkash";
  const paid = await data(api.GET("/api/transactions", { headers, params: { query: { payment_method: method, date_from: "2026-07-01", date_to: "2026-07-31" } } }));
  assert.ok(paid.count < sales.count && paid.summary.currency === "BDT");
  const products = await data(api.GET("/api/products", { headers, params: { query: { sort: "sales_7d", order: "desc" } } }));
  const customers = await until(
    () => data(api.GET("/api/customers", { headers, params: { query: { churn_risk_only: true, sort: "churn_score" } } })),
    ({ summary }) => summary.total > 0,
  );
  const risk: Schemas["RiskLevel"] | undefined = customers.results[0]?.churn_analysis?.churn_risk_level;
  assert.ok(risk);
  assert.ok(products.results[0]);
  return products.results[0].id;
}

/** Asks for forecasts and the cash flow; enters what both need. */
async function foresee(headers: { Authorization: string }, product_id: number): Promise<void> {
  const asked = await data(api.POST("/api/forecasts/request", { headers, body: { product_ids: [product_id], forecast_days: 14 } }));
  assert.equal(asked.forecast_days, 14);
  const forecasts = await data(api.GET("/api/forecasts", { headers, params: { query: { sort: "stockout_risk", order: "desc" } } }));
  for (const { status, predicted_demand: days } of forecasts.results) if (status === "ready") assert.ok(days.length > 0);
  // Nothing is recommended to a shop without a recent sale, and the ledger's days stay while the clock goes on.
  const today = new Date().toISOString().slice(0, "2026-08-31".length);
  const sale = await data(api.POST("/api/transactions", { headers, body: { date: today, product_id, quantity: 1, amount: 20, payment_method: "cash" } }));
  assert.deepEqual([sale.product_id, sale.amount], [product_id, 20]);
  await data(api.PUT("/api/cashflow/settings", { headers, body: { opening_balance: 10, opening_date: today, critical_threshold: 20000 } }));
  const cash = await until(
    () => data(api.GET("/api/cashflow", { headers, params: { query: { projection_days: 30 } } })),
    ({ basis }) => basis === "actual",
  );
  assert.equal(cash.forecast.projected_balance.length, 30);
}

/** What a recommendation proposes, by its type: the types make sure that none is forgotten. */
function proposal(advice: Schemas["Recommendation"]): string {
  switch (advice.type) {
    case "reorder":
      return `order ${advice.action_data.recommended_qty}`;
    case "cash_warning":
      return `balance ${advice.action_data.projected_balance}`;
    case "retention":
      return `write to ${advice.action_data.customers.length}`;
    case "price_optimization":
      return `price ${advice.action_data.suggested_price}`;
  }
}

/** Views what is recommended and does it; doing it twice is refused. */
async function act(headers: { Authorization: string }): Promise<void> {
  const list = await until(() => data(api.GET("/api/recommendations", { headers, params: { query: { limit: 20 } } })), ({ count }) => count > 0);
  const [advice] = list.results;
  assert.ok(advice);
  assert.ok(proposal(advice));
  const path = { recommendation_id: advice.id };
  const viewed = await data(api.POST("/api/recommendations/{recommendation_id}/view", { headers, params: { path }, body: { view_duration_seconds: 12 } }));
  assert.equal(viewed.recommendation.id, advice.id);
  const once = await data(api.POST("/api/recommendations/{recommendation_id}/execute", { headers, params: { path }, body: { confirmation: true } }));
  assert.equal(once.recommendation.status, "executed");
  const twice = await api.POST("/api/recommendations/{recommendation_id}/execute", { headers, params: { path }, body: { confirmation: true } });
  assert.equal(twice.response.status, 409);
}

/** Looks at health, accounts, jobs and the audit trail. */
async function operate(owner: { Authorization: string }): Promise<void> {
  const refused = await api.GET("/api/admin/users", { headers: owner });
  assert.equal(refused.response.status, 403);
  const { access_token } = await data(api.POST("/api/auth/login", { body: { email: STAFF_EMAIL, password: STAFF_PASSWORD } }));
  const headers = authorized(access_token);
  const health = await data(api.GET("/api/admin/health", { headers }));
  assert.equal(health.services.database, "ok");
  const users = await data(api.GET("/api/admin/users", { headers, params: { query: { is_staff: false } } }));
  assert.ok(users.count > 0);
  const jobs = await data(api.GET("/api/admin/jobs", { headers, params: { query: { state: "all" } } }));
  const [job] = jobs.results;
  if (job && job.state !== "failed") {
    const retry = await api.POST("/api/admin/jobs/{job_id}/retry", { headers, params: { path: { job_id: job.id } } });
    assert.equal(retry.response.status, 409);
  }
  const audit = await data(api.GET("/api/admin/audit", { headers, params: { query: { action: "login", limit: 5 } } }));
  assert.ok(audit.results.every(({ action }) => action === "login"));
}

/** The demo shop is opened on request only: it takes a minute. */
async function demo(headers: { Authorization: string }): Promise<void> {
  const { business_id, seed } = await data(api.POST("/api/admin/demo/seed", { headers, body: { seed: 7 } }));
  assert.ok(business_id && seed === 7);
  await data(api.POST("/api/admin/demo/reset", { headers, body: {} }));
}

const owner = await openShop();
const { readFile } = await import("node:fs/promises");
const { created } = await upload(owner, await readFile(LEDGER, "utf8"));
await foresee(owner, await look(owner, created));
await act(owner);
await operate(owner);
if (process.env["DEMO"]) await demo(owner);
console.log("done");

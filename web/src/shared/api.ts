/** The public API: one function per request, with login, language, freshness and the shop on an earlier day. */
import { keep, kept } from "./answers.ts";
import { language } from "./i18n.ts";
import { keepSession, session } from "./session.ts";
import { emit } from "./store.ts";

/** What the API refused, in the reader's language. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly suggestions: string[];
  readonly details: Record<string, unknown>;
  readonly retryAfter: number | null;

  constructor(status: number, body: Partial<ErrorBody> | null, retryAfter: number | null) {
    super(body?.message ?? `HTTP ${status}`);
    this.status = status;
    this.code = body?.error_code ?? "UNKNOWN";
    this.suggestions = body?.suggestions ?? [];
    this.details = body?.details ?? {};
    this.retryAfter = retryAfter;
  }

  /** What is wrong with which field. */
  get fields(): string[] {
    const fields = (this.details["fields"] ?? []) as { field: string; message?: string }[];
    return fields.map(({ field, message }) => (message ? `${field}: ${message}` : field));
  }
}

/** No answer came: no network, or the server is down. */
export class Unreachable extends Error {}

interface ErrorBody {
  message: string;
  error_code: string;
  suggestions: string[];
  details: Record<string, unknown>;
}

export interface Answer<T> {
  data: T;
  /** When a kept answer was given, in milliseconds; null for one that has just come. */
  keptAt: number | null;
}

interface Options {
  body?: unknown;
  form?: FormData;
  /** Idempotency-Key: the same key twice is done once. */
  key?: string;
}

let position: { token: string; until: number } | null = null;
let replay: string | null = null;
let reachable = true;

/** Whether the last request reached the server. */
export const online = (): boolean => reachable;
export const replaying = (): string | null => replay;

/** Reads go to this replay (an earlier day) from now on; null: to the present. */
export function readFrom(id: string | null): void {
  replay = id;
  emit();
}

const FRESH_FOR = 60_000;
const TIMEOUT = 20_000;

async function attempt(method: string, path: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { "Accept-Language": language() };
  const now = session();
  if (now) headers["Authorization"] = `Bearer ${now.access}`;
  if (options.key) headers["Idempotency-Key"] = options.key;
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (method === "GET" && replay) headers["X-Replay"] = replay;
  else if (method === "GET" && position && position.until > Date.now()) headers["X-Min-Event-Position"] = position.token;
  const signal = options.form ? null : AbortSignal.timeout(TIMEOUT);
  const body = options.form ?? (options.body === undefined ? null : JSON.stringify(options.body));
  try {
    const answer = await fetch(`/api${path}`, { method, headers, body, signal });
    seen(true);
    return answer;
  } catch {
    seen(false);
    throw new Unreachable();
  }
}

function seen(answered: boolean): void {
  if (answered === reachable) return;
  reachable = answered;
  emit();
}

async function renewed(used: string): Promise<boolean> {
  const renew = async (): Promise<boolean> => {
    const now = session();
    if (!now) return false;
    if (now.access !== used) return true; // another tab was faster
    const answer = await attempt("POST", "/auth/token/refresh", { body: { refresh_token: now.refresh } });
    if (answer.status === 401) {
      keepSession(null);
      return false;
    }
    if (!answer.ok) throw await refusal(answer);
    const { data } = (await answer.json()) as { data: { access_token: string; refresh_token: string } };
    keepSession({ ...now, access: data.access_token, refresh: data.refresh_token });
    return true;
  };
  return navigator.locks ? navigator.locks.request("smartmarket.refresh", renew) : renew();
}

async function refusal(answer: Response): Promise<Refused> {
  const body = (await answer.json().catch(() => null)) as Partial<ErrorBody> | null;
  const after = Number(answer.headers.get("Retry-After"));
  return new Refused(answer.status, body, after > 0 ? after : null);
}

/** Whether the login has ended; a wrong password answers 401, too, and is not sent twice. */
async function expired(answer: Response): Promise<boolean> {
  if (answer.status !== 401) return false;
  const body = (await answer.clone().json().catch(() => null)) as Partial<ErrorBody> | null;
  return body?.error_code !== "INVALID_CREDENTIALS";
}

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Sends one request; renews the login once, and waits once where the API asks a reader for a moment's patience. */
export async function send(method: string, path: string, options: Options = {}): Promise<Response> {
  let used = session()?.access;
  let answer = await attempt(method, path, options);
  if (used && (await expired(answer)) && (await renewed(used))) {
    used = session()?.access;
    answer = await attempt(method, path, options);
  }
  const patience = Number(answer.headers.get("Retry-After"));
  if (method === "GET" && answer.status === 503 && patience > 0 && patience <= 3) {
    await pause(patience);
    answer = await attempt(method, path, options);
  }
  const token = answer.headers.get("X-Event-Position");
  if (token && method !== "GET") position = { token, until: Date.now() + FRESH_FOR };
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function data<T>(answer: Response): Promise<T> {
  return ((await answer.json()) as { data: T }).data;
}

/** Reads; without a network answers what was answered last, for the owner's app. */
export async function get<T>(path: string): Promise<Answer<T>> {
  const id = `${language()} ${replay ?? ""} ${path}`;
  try {
    const found = await data<T>(await send("GET", path));
    if (!replay) void keep(id, found);
    return { data: found, keptAt: null };
  } catch (error) {
    const old = error instanceof Unreachable && !replay ? await kept<T>(id) : null;
    if (old) return { data: old.data, keptAt: old.at };
    throw error;
  }
}

async function write<T>(method: string, path: string, body: unknown, key?: string): Promise<T> {
  const answer = await data<T>(await send(method, path, key ? { body, key } : { body }));
  emit();
  return answer;
}

export const post = <T>(path: string, body: unknown = {}, key?: string) => write<T>("POST", path, body, key);
export const patch = <T>(path: string, body: unknown) => write<T>("PATCH", path, body);
export const put = <T>(path: string, body: unknown) => write<T>("PUT", path, body);
export const remove = <T>(path: string, body?: unknown) => write<T>("DELETE", path, body);

/** Uploads a form; takes as long as it takes. */
export async function upload<T>(path: string, form: FormData, key: string): Promise<T> {
  const answer = await data<T>(await send("POST", path, { form, key }));
  emit();
  return answer;
}

/** Saves what a path answers as a file. */
export async function download(path: string, name: string): Promise<void> {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await (await send("GET", path)).blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Forgets the position that reads had to show; another account's would be refused. */
export function forgetPosition(): void {
  position = null;
  replay = null;
}

/** Language, numbers, money and dates as the reader writes them. */
import { emit } from "./store.ts";

export type Language = "bn" | "en";
export type Table = Record<string, string>;

const KEY = "smartmarket.language";
const tables: Record<Language, Table> = { bn: {}, en: {} };
let current: Language = localStorage.getItem(KEY) === "en" ? "en" : "bn";
document.documentElement.lang = current;

/** Registers the texts of a front end; both languages hold the same keys, which a test checks. */
export function texts(bn: Table, en: Table): void {
  Object.assign(tables.bn, bn);
  Object.assign(tables.en, en);
}

export const language = (): Language => current;

export function speak(chosen: Language): void {
  current = chosen;
  localStorage.setItem(KEY, chosen);
  document.documentElement.lang = chosen;
  emit();
}

/** The text of `key` with `{name}` replaced; numbers are written in the reader's digits. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text = tables[current][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : (value ?? "");
  });
}

export const has = (key: string): boolean => key in tables[current];
const locale = () => (current === "bn" ? "bn-BD" : "en-IN");

const kept = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();
function formatter<T extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: (locale: string) => T): T {
  const id = `${current} ${key}`;
  if (!kept.has(id)) kept.set(id, make(locale()));
  return kept.get(id) as T;
}

/** A number with at most `digits` decimals: 1,20,000 or ১,২০,০০০; a dash where there is none. */
export function number(value: number | null, digits = 2): string {
  if (value === null) return "–";
  return formatter(`n${digits}`, (at) => new Intl.NumberFormat(at, { maximumFractionDigits: digits })).format(value);
}

/** Taka; whole taka from a hundred on unless `exact`. */
export function money(value: number | null | undefined, exact = false): string {
  if (value == null) return "–";
  const digits = exact || Math.abs(value) < 100 ? 2 : 0;
  const sign = value < 0 ? "−" : "";
  return `${sign}৳${number(Math.abs(value), digits)}`;
}

export function percent(value: number, digits = 0): string {
  const make = (at: string) => new Intl.NumberFormat(at, { style: "percent", maximumFractionDigits: digits });
  return formatter(`p${digits}`, make).format(value);
}

/** A change such as +১২%. */
export function change(now: number, before: number): string | null {
  if (!before) return null;
  const ratio = now / before - 1;
  return `${ratio < 0 ? "−" : "+"}${percent(Math.abs(ratio))}`;
}

const ZONE = "Asia/Dhaka";
const STYLES: Record<string, Intl.DateTimeFormatOptions> = {
  day: { day: "numeric", month: "long" },
  short: { day: "numeric", month: "short" },
  full: { day: "numeric", month: "long", year: "numeric" },
  weekday: { weekday: "long" },
  wday: { weekday: "short", day: "numeric", month: "short" },
  moment: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false },
  exact: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false },
};

/** A date (2026-11-29) or instant in Dhaka's time. */
export function date(value: string | number | Date, style: keyof typeof STYLES = "day"): string {
  const at = typeof value === "string" && value.length === 10 ? new Date(`${value}T12:00:00+06:00`) : new Date(value);
  const make = (where: string) => new Intl.DateTimeFormat(where === "en-IN" ? "en-GB" : where, { timeZone: ZONE, ...STYLES[style] });
  return formatter(`d${style}`, make).format(at);
}

/** Today in Dhaka plus `days`, as 2026-11-29. */
export function day(days = 0, from?: string): string {
  const base = from ? new Date(`${from}T12:00:00+06:00`) : new Date();
  return new Intl.DateTimeFormat("en-CA", { timeZone: ZONE }).format(new Date(base.getTime() + days * 86_400_000));
}

/** The number that someone wrote with Bangla or Latin digits; NaN where it is none. */
export function parsed(text: string): number {
  const latin = text.replace(/[০-৯]/g, (digit) => String(digit.charCodeAt(0) - 0x9e6)).replace(/[,৳\s]/g, "");
  return latin === "" ? Number.NaN : Number(latin);
}

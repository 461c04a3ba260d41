/** Reads that no single address of the API answers yet, each in this one place. */
import { Refused, get, type Answer } from "../shared/api.ts";
import { day } from "../shared/i18n.ts";
import type { Customer, List, Product, SalesSummary } from "./types.ts";

const MOST_PAGES = 5;

/** The row of a list that has this id. Raises Refused (404) where the list does not hold it. */
async function find<T extends { id: number }>(list: string, id: number): Promise<Answer<T>> {
  try {
    return await get<T>(`/${list}/${id}`);
  } catch (error) {
    if (!(error instanceof Refused) || ![404, 405].includes(error.status)) throw error;
  }
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const found: Answer<List<T>> = await get<List<T>>(`/${list}?limit=100${cursor ? `&cursor=${cursor}` : ""}`);
    const row = found.data.results.find((candidate) => candidate.id === id);
    if (row) return { data: row, keptAt: found.keptAt };
    cursor = found.data.next_cursor;
    if (!cursor) break;
  }
  throw new Refused(404, null, null);
}

export const product = (id: number) => find<Product>("products", id);
export const customer = (id: number) => find<Customer>("customers", id);

export interface Trade {
  today: number;
  todayCount: number;
  /** Takings of the same weekday a week ago; null where not read. */
  sameWeekday: number | null;
  week: number;
  weekBefore: number;
  /** Takings of the last thirty days, oldest first; empty where the API has no series. */
  days: { date: string; value: number }[];
}

interface Series {
  results: { date: string; revenue: number; transactions: number }[];
}

const sum = (values: { value: number }[]) => values.reduce((total, { value }) => total + value, 0);

/** Takings of today and before: one read where the API has series, else three sums. */
export async function trade(): Promise<Answer<Trade>> {
  const today = day();
  try {
    const { data, keptAt } = await get<Series>(`/sales/series?by=day&date_from=${day(-29)}&date_to=${today}`);
    const days = data.results.map((row) => ({ date: row.date, value: row.revenue }));
    const at = (back: number) => days[days.length - 1 - back]?.value ?? 0;
    return {
      keptAt,
      data: { today: at(0), todayCount: data.results.at(-1)?.transactions ?? 0, sameWeekday: at(7), week: sum(days.slice(-7)), weekBefore: sum(days.slice(-14, -7)), days },
    };
  } catch (error) {
    if (!(error instanceof Refused) || ![400, 404].includes(error.status)) throw error;
  }
  const between = (from: string, to: string) => get<List<unknown, SalesSummary>>(`/transactions?limit=1&date_from=${from}&date_to=${to}`);
  const [now, week, before] = await Promise.all([between(today, today), between(day(-6), today), between(day(-13), day(-7))]);
  return {
    keptAt: now.keptAt,
    data: {
      today: now.data.summary.total_revenue,
      todayCount: now.data.summary.transaction_count,
      sameWeekday: null,
      week: week.data.summary.total_revenue,
      weekBefore: before.data.summary.total_revenue,
      days: [],
    },
  };
}

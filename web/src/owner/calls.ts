/** Reads that no single address of the API answers yet, each in this one place. */
import { Refused, get, type Answer } from "../shared/api.ts";
import type { Customer, List, Product, Series } from "./types.ts";

const MOST_PAGES = 5;

/** The row of a list that has this id. Raises Refused (404) where the list does not hold it. */
async function find<T extends { id: number }>(list: string, id: number): Promise<Answer<T>> {
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
  /** Takings of the same weekday a week ago. */
  sameWeekday: number;
  week: number;
  weekBefore: number;
  /** Takings of the last thirty days, oldest first. */
  days: { date: string; value: number }[];
}

const sum = (values: { value: number }[]) => values.reduce((total, { value }) => total + value, 0);

/** Takings of today and of the thirty days that end today (that is shown, for an earlier day). */
export async function trade(): Promise<Answer<Trade>> {
  const { data, keptAt } = await get<Series>("/sales/series");
  const days = data.results.map((row) => ({ date: row.date, value: row.revenue }));
  const back = (count: number) => days.at(-1 - count)?.value ?? 0;
  const todayCount = data.results.at(-1)?.transactions ?? 0;
  return { keptAt, data: { today: back(0), todayCount, sameWeekday: back(7), week: sum(days.slice(-7)), weekBefore: sum(days.slice(-14, -7)), days } };
}

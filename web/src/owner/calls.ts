/** Reads that several pages share, each in this one place. */
import { get, type Answer } from "../shared/api.ts";
import type { CustomerDetails, Product, Series } from "./types.ts";

export const product = (id: number) => get<Product>(`/products/${id}`);
export const customer = (id: number) => get<CustomerDetails>(`/customers/${id}`);

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

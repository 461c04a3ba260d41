/** The shop's profile, shared by all pages: its name, and whether it is to be erased. */
import { get, replaying, type Answer } from "../shared/api.ts";
import { session } from "../shared/session.ts";
import { emit } from "../shared/store.ts";
import type { Profile } from "./types.ts";

const key = () => `smartmarket.shop.${session()?.user.id ?? 0}`;

/** The name to show above every page, known from the last read. */
export const shopName = (): string => localStorage.getItem(key()) ?? "SmartMarket";

let erasure: { user: number | undefined; after: string | null } = { user: undefined, after: null };

/** The moment after which the shop is erased, as its owner asked; null: it stays. */
export const erasedAfter = (): string | null => (erasure.user === session()?.user.id ? erasure.after : null);

let reading: Promise<Answer<Profile>> | null = null;

/** Reads the profile; those who ask while it is being read get the same answer. */
export function profile(): Promise<Answer<Profile>> {
  reading ??= read().finally(() => {
    reading = null;
  });
  return reading;
}

async function read(): Promise<Answer<Profile>> {
  const user = session()?.user.id;
  const answer = await get<Profile>("/business/profile");
  const { name, erased_after: after } = answer.data;
  const known = shopName() === name && (replaying() !== null || erasedAfter() === after);
  localStorage.setItem(key(), name);
  // An earlier day has the erasures of that day.
  if (!replaying()) erasure = { user, after };
  if (!known) emit();
  return answer;
}

/** The shop's profile, read once and shared by all pages. */
import { get, type Answer } from "../shared/api.ts";
import { session } from "../shared/session.ts";
import { emit } from "../shared/store.ts";
import type { Profile } from "./types.ts";

const key = () => `smartmarket.shop.${session()?.user.id ?? 0}`;

/** The name to show above every page, known from the last read. */
export const shopName = (): string => localStorage.getItem(key()) ?? "SmartMarket";

export async function profile(): Promise<Answer<Profile>> {
  const answer = await get<Profile>("/business/profile");
  if (shopName() !== answer.data.name) {
    localStorage.setItem(key(), answer.data.name);
    emit();
  }
  return answer;
}

/** The login of this browser: tokens and account, shared by all tabs, and what depends on who is logged in. */
import { emit } from "./store.ts";

export interface User {
  id: number;
  email: string;
  first_name: string;
  language: "bn" | "en";
  business_id: number | null;
  is_staff: boolean;
}

export interface Session {
  user: User;
  access: string;
  refresh: string;
}

const prefix = location.pathname.startsWith("/console") ? "console" : "owner";
const KEY = `smartmarket.${prefix}.session`;

export function session(): Session | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null") as Session | null;
  } catch {
    return null;
  }
}

export function keepSession(kept: Session | null): void {
  if (kept) localStorage.setItem(KEY, JSON.stringify(kept));
  else localStorage.removeItem(KEY);
  emit();
}

// Another tab has logged in or out.
addEventListener("storage", (event) => event.key === KEY && emit());

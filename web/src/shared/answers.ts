/** The last answers of the API, kept per account for times without a network; the operator's console keeps none. */
import { session } from "./session.ts";

const available = "caches" in globalThis && !location.pathname.startsWith("/console");
const name = () => `answers-${session()?.user.id ?? 0}`;
const address = (id: string) => `/kept/${encodeURIComponent(id)}`;

export async function keep(id: string, data: unknown): Promise<void> {
  if (!available || !session()) return;
  const cache = await caches.open(name());
  await cache.put(address(id), new Response(JSON.stringify({ data, at: Date.now() })));
}

export async function kept<T>(id: string): Promise<{ data: T; at: number } | null> {
  if (!available) return null;
  const found = await caches.match(address(id), { cacheName: name() });
  return found ? ((await found.json()) as { data: T; at: number }) : null;
}

/** Removes everything that was kept, of every account. */
export async function forgetAnswers(): Promise<void> {
  if (!available) return;
  const names = (await caches.keys()).filter((found) => found.startsWith("answers-"));
  await Promise.all(names.map((found) => caches.delete(found)));
}

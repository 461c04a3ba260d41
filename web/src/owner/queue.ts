/** Sales on their way to the server: each is kept before it is sent, under a key that the server accepts once. */
import { Refused, Unreachable, post } from "../shared/api.ts";
import { session } from "../shared/session.ts";
import { emit } from "../shared/store.ts";

export interface NewSale {
  date: string;
  quantity: number;
  amount: number;
  product_id?: number;
  product_name?: string;
  customer_name?: string;
  payment_method?: string;
}

export interface Waiting {
  key: string;
  sale: NewSale;
  at: number;
  refused?: string;
}

const name = () => `smartmarket.queue.${session()?.user.id ?? 0}`;

export function waiting(): Waiting[] {
  try {
    return JSON.parse(localStorage.getItem(name()) ?? "[]") as Waiting[];
  } catch {
    return [];
  }
}

function write(sales: Waiting[]): void {
  localStorage.setItem(name(), JSON.stringify(sales));
  emit();
}

export function discard(key: string): void {
  write(waiting().filter((sale) => sale.key !== key));
}

/** Keeps a sale and tries to send it. Returns whether it was sent; raises Refused, keeping nothing, if it was refused. */
export async function enter(sale: NewSale): Promise<boolean> {
  const key = crypto.randomUUID();
  write([...waiting(), { key, sale, at: Date.now() }]);
  await drain();
  const left = waiting().find((candidate) => candidate.key === key);
  if (left?.refused) {
    discard(key);
    throw new Refused(400, { message: left.refused }, null);
  }
  return !left;
}

/** Sends what waits, oldest first, in one tab at a time; stops where the server cannot be reached or is not ready. */
export async function drain(): Promise<void> {
  if (!session()) return;
  if (navigator.locks) await navigator.locks.request(name(), sendAll);
  else await sendAll();
}

async function sendAll(): Promise<void> {
  for (const { key, sale, refused } of waiting()) {
    if (refused) continue;
    try {
      await post("/transactions", sale, key);
      discard(key);
    } catch (error) {
      if (error instanceof Unreachable || !(error instanceof Refused)) return;
      if (error.status === 401 || error.status === 429 || error.status >= 500) return;
      const text = [error.message, ...error.suggestions].join(" ");
      write(waiting().map((candidate) => (candidate.key === key ? { ...candidate, refused: text } : candidate)));
    }
  }
}

const EVERY = 15_000;

/** Tries again when the network returns, and now and then. */
export function watch(): void {
  const again = () => {
    if (waiting().some((sale) => !sale.refused)) void drain();
  };
  addEventListener("online", again);
  setInterval(again, EVERY);
  again();
}

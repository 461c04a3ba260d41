/** Notices of the server as they happen; pages that follow them read less often while the stream is open. */
import { replaying, send } from "./api.ts";
import { language } from "./i18n.ts";
import { session } from "./session.ts";
import { emit } from "./store.ts";

/** What has changed: its `type`, and the id of its subject by name. */
export type Notice = { type: string } & Record<string, unknown>;

const LONGEST_PAUSE_MS = 60_000;
const FIRST_PAUSE_MS = 1_000;
const followers = new Set<(notice: Notice) => void>();
let open = false;
let last: string | null = null;

/** Whether notices arrive now. */
export const streaming = (): boolean => open;

/** Calls `follower` with each notice; returns what ends that. */
export function follow(follower: (notice: Notice) => void): () => void {
  followers.add(follower);
  return () => void followers.delete(follower);
}

/** Follows the stream as long as the page is open; after a break it goes on where it was. */
export async function watchNotices(): Promise<void> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const who = session();
    if (who && !document.hidden && !replaying()) {
      const began = Date.now();
      await read(who.access).catch(() => undefined);
      if (open) change(false);
      if (Date.now() - began > LONGEST_PAUSE_MS) pause = FIRST_PAUSE_MS;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function change(now: boolean): void {
  open = now;
  emit();
}

async function read(access: string): Promise<void> {
  const headers: Record<string, string> = { Authorization: `Bearer ${access}`, Accept: "text/event-stream", "Accept-Language": language() };
  if (last) headers["Last-Event-ID"] = last;
  const ended = new AbortController();
  const answer = await fetch("/api/events/stream", { headers, signal: ended.signal, cache: "no-store" });
  if (answer.status === 401) await send("GET", "/auth/me"); // renews the login
  if (answer.status === 400) last = null; // it is another shop's
  if (!answer.ok || !answer.body) return;
  change(true);
  const leave = () => (document.hidden || session()?.access !== access) && ended.abort();
  const timer = setInterval(leave, 5_000);
  try {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (text + value).split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) tell(part);
    }
  } finally {
    clearInterval(timer);
  }
}

/** One event of the stream; a comment, which keeps it open, has no data. */
function tell(part: string): void {
  const fields = new Map(part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const));
  const id = fields.get("id");
  if (id) last = id;
  const data = fields.get("data");
  if (!data) return;
  const notice = { type: fields.get("event") ?? "", ...(JSON.parse(data) as object) } as Notice;
  for (const follower of [...followers]) follower(notice);
}

/** A list that is read page by page. */
import { useEffect, useState } from "preact/hooks";
import { get } from "./api.ts";
import { useGet, type Read } from "./hooks.ts";

export interface Listed<T, S> {
  count: number;
  results: T[];
  summary: S;
  next_cursor: string | null;
}

/** Reads the first page of `path`; `more` appends the next one, and is null at the end. */
export function useList<T, S = unknown>(path: string, seconds?: number): Read<Listed<T, S>> & { more: (() => Promise<void>) | null } {
  const first = useGet<Listed<T, S>>(path, seconds);
  const [rest, setRest] = useState<{ rows: T[]; cursor: string | null }>({ rows: [], cursor: null });
  useEffect(() => setRest({ rows: [], cursor: first.data?.next_cursor ?? null }), [first.data]);
  const more = async () => {
    const { data } = await get<Listed<T, S>>(`${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(rest.cursor ?? "")}`);
    setRest((before) => ({ rows: [...before.rows, ...data.results], cursor: data.next_cursor }));
  };
  const data = first.data && { ...first.data, results: [...first.data.results, ...rest.rows] };
  return { ...first, data, more: rest.cursor ? more : null };
}

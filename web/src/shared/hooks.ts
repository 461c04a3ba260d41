/** Reading for a page: its data, what went wrong, and reading again after changes. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Refused, Unreachable, get, replaying, type Answer } from "./api.ts";
import { language } from "./i18n.ts";
import { follow, type Notice } from "./stream.ts";

export interface Read<T> {
  data: T | undefined;
  error: Error | undefined;
  keptAt: number | null;
  loading: boolean;
  again: () => void;
}

/** Whether what is read again and again stays as it is shown: the network is gone, or the API asks for a pause. */
const passes = (error: Error): boolean => error instanceof Unreachable || (error instanceof Refused && error.status === 429);

/** Reads `path` (null: nothing yet), again for another language or day, and every `seconds` if given. */
export function useGet<T>(path: string | null, seconds?: number): Read<T> {
  return useRead<T>(path, () => get<T>(path ?? ""), seconds);
}

/** Reads a page again when a notice that `concerns` it arrives. */
export function useNotices(concerns: (notice: Notice) => boolean, again: () => void): void {
  const latest = useRef(concerns);
  latest.current = concerns;
  useEffect(() => follow((notice) => (notice.type === "reset" || latest.current(notice)) && again()), [again]);
}

/** Reads by `read` whenever `id`, the language or the day that is shown changes; null: not yet. */
export function useRead<T>(id: string | null, read: () => Promise<Answer<T>>, seconds?: number): Read<T> {
  const [state, setState] = useState<{ id?: string; answer?: Answer<T>; error?: Error }>({});
  const [turn, setTurn] = useState(0);
  const latest = useRef(0);
  const whole = id === null ? null : `${language()} ${replaying() ?? ""} ${id}`;
  useEffect(() => {
    if (whole === null) return;
    const own = ++latest.current;
    read().then(
      (answer) => own === latest.current && setState({ id: whole, answer }),
      (error: Error) => own === latest.current && setState((before) => (before.id === whole && before.answer && seconds && passes(error) ? before : { id: whole, error })),
    );
  }, [whole, turn]);
  useEffect(() => {
    if (!seconds || whole === null) return;
    const timer = setInterval(() => document.hidden || setTurn((count) => count + 1), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds, whole]);
  const again = useCallback(() => setTurn((count) => count + 1), []);
  useEffect(() => {
    addEventListener("online", again);
    return () => removeEventListener("online", again);
  }, [again]);
  return {
    data: state.answer?.data,
    error: state.error,
    keptAt: state.answer?.keptAt ?? null,
    loading: whole !== null && state.id !== whole,
    again,
  };
}

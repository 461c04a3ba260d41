/** One counter that every mounted page watches: a change of session, language, replay or data draws it again. */
import { useEffect, useState } from "preact/hooks";

const watchers = new Set<() => void>();

export function emit(): void {
  for (const watcher of [...watchers]) watcher();
}

/** Draws the calling component again after each `emit`. */
export function useStore(): void {
  const [, draw] = useState(0);
  useEffect(() => {
    const watcher = () => draw((count) => count + 1);
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }, []);
}

/** What a screen shows comes from the server: loaded when the screen opens, perhaps again and again. */

import { useCallback, useEffect, useState } from "preact/hooks";

export interface Loaded<T> {
  data: T | undefined;
  error: Error | undefined;
  reload: () => void;
}

/**
 * @param ask the request; the last answer stays until the next has come
 * @param about what it depends on
 * @param everyMs ask again after this time, or never
 */
export function useLoad<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  about: readonly unknown[],
  everyMs?: (data: T) => number | undefined,
): Loaded<T> {
  const [state, setState] = useState<{ data?: T; error?: Error; about?: readonly unknown[] }>({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    const over = new AbortController();
    let timer = 0;
    ask(over.signal).then(
      (data) => {
        if (over.signal.aborted) return;
        setState({ data, about });
        const wait = everyMs?.(data);
        if (wait) timer = window.setTimeout(() => setRound((before) => before + 1), wait);
      },
      (error: Error) => over.signal.aborted || setState((before) => ({ ...before, error, about })),
    );
    return () => {
      over.abort();
      clearTimeout(timer);
    };
  }, [...about, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  const current = !state.about || state.about.every((one, index) => one === about[index]);
  return { data: current ? state.data : undefined, error: current ? state.error : undefined, reload };
}

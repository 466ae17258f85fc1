import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import type { Refusal } from '../data/api';

export interface Loaded<T> {
  /** The newest answer; stays while the next is asked for. */
  data?: T;
  error?: Refusal | Error;
  isLoading: boolean;
  reload: () => void;
}

interface State<T> {
  data?: T;
  error?: Error;
  isLoading: boolean;
}

interface Options {
  /** Asks again so long after an answer, while the page is visible. */
  every?: number;
}

/**
 * Asks, and asks again when `keys` change: what answered to the former ones is dropped. An answer that comes late, after the
 * next question, is ignored.
 */
export function useLoad<T>(get: (isBackground: boolean) => Promise<T>, keys: readonly unknown[], options: Options = {}): Loaded<T> {
  const [state, setState] = useState<State<T>>({ isLoading: true });
  const asked = useRef(0);
  const current = useRef(get);
  current.current = get;

  const load = useCallback(async (isBackground: boolean) => {
    const mine = ++asked.current;
    if (!isBackground) setState((before) => ({ ...before, isLoading: true }));
    try {
      const data = await current.current(isBackground);
      if (mine === asked.current) setState({ data, isLoading: false });
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (mine === asked.current) setState((before) => ({ ...before, error, isLoading: false }));
    }
  }, []);

  useEffect(() => {
    setState({ isLoading: true });
    void load(false);
    return () => {
      ++asked.current;
    };
  }, keys);

  useEffect(() => {
    if (options.every === undefined) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) void load(true);
    }, options.every);
    return () => clearInterval(timer);
  }, [options.every, ...keys]);

  return { ...state, reload: () => void load(false) };
}

/** The time in whole seconds since 1970, told every second; `skew` is how far the daemon's clock is ahead of this one's. */
export function useNow(skew = 0): number {
  const read = () => Math.floor(Date.now() / 1000) + skew;
  const [now, setNow] = useState(read);
  useEffect(() => {
    const timer = setInterval(() => setNow(read()), 1000);
    return () => clearInterval(timer);
  }, [skew]);
  return now;
}

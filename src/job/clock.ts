import { readFileSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** The clocks of a host. Wall time is for people and never compared between hosts; durations are monotonic. */
export interface Clock {
  /** ISO 8601 in UTC with milliseconds. */
  readonly now: () => string;
  /** Milliseconds since an arbitrary point, never backwards. */
  readonly monotonicMs: () => number;
  /** The same, but the time in which the host was suspended counts too: for what others do in that time. */
  readonly sinceBootMs: () => number;
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** The wall time of a moment that is known by the monotonic clock, in milliseconds. */
export function wallTime(clock: Clock, monotonicMs: number): string {
  return new Date(Date.parse(clock.now()) - (clock.monotonicMs() - monotonicMs)).toISOString();
}

export const systemClock: Clock = {
  now: () => new Date().toISOString(),
  // CLOCK_MONOTONIC itself: a runner that adopts goes on counting where the killed one began. `performance` would tell
  // it too, but takes a while to load.
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  sinceBootMs: () => uptimeMs() ?? systemClock.monotonicMs(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      signal?.addEventListener('abort', finish, { once: true });
    }),
};

/** Undefined where it cannot be read: too many files are open. */
function uptimeMs(): number | undefined {
  try {
    return Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1000;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

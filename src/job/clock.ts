import { readFileSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** The clocks of a host. Wall time is shown to people and never compared between hosts. Durations are monotonic. */
export interface Clock {
  /** The wall time in ISO 8601, in UTC, with milliseconds. */
  readonly now: () => string;
  /** Milliseconds since an arbitrary point. It never goes backwards. */
  readonly monotonicMs: () => number;
  /** As `monotonicMs`, but includes the time while the host was suspended: other hosts continue in that time. */
  readonly sinceBootMs: () => number;
  /** Resolves after the time, or when the signal aborts. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Converts a time of the monotonic clock to wall time. */
export function wallTime(clock: Clock, monotonicMs: number): string {
  return new Date(Date.parse(clock.now()) - (clock.monotonicMs() - monotonicMs)).toISOString();
}

export const systemClock: Clock = {
  now: () => new Date().toISOString(),
  // CLOCK_MONOTONIC, because a runner that adopts jobs continues durations of a killed one. Loading `performance`, which
  // has the same clock, takes longer.
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

/** Undefined if the file cannot be opened, as when too many files are open. */
function uptimeMs(): number | undefined {
  try {
    return Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1000;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

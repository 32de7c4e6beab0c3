import type { Clock } from '../job/clock.ts';

/** A moment as the journal keeps it: wall time for people, CLOCK_MONOTONIC in milliseconds for what is computed. */
export interface Moment {
  readonly started: string;
  readonly monotonic_ms: number;
}

/** Wall times of moments that are known by the monotonic clock of all processes of this boot. */
export class MonotonicTimes {
  constructor(private readonly clock: Clock) {}

  now(): Moment {
    return { started: this.clock.now(), monotonic_ms: this.clock.monotonicMs() };
  }

  /** A moment by its monotonic time; now without one. */
  at(monotonicMs: number | undefined): Moment {
    const now = this.now();
    if (monotonicMs === undefined) return now;
    const ago = now.monotonic_ms - monotonicMs;
    return { started: new Date(Date.parse(now.started) - ago).toISOString(), monotonic_ms: monotonicMs };
  }
}

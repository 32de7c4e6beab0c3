import type { Clock } from '../job/clock.ts';

/** Well below the length of a transaction, so that a released lease is acquired soon. */
const FIRST_MS = 4;
const LAST_MS = 250;
const GROWTH = 1.5;

/**
 * The time between two tries to acquire a lease that another process holds. While the lease changes hands, every
 * contender tries once per turn. A contender that tried less often the longer it has waited would starve behind new
 * ones. The interval may not be longer than a turn either: it is part of the next turn, so that the interval of a
 * single contender would grow without limit. The interval grows only while one process holds the lease.
 */
export class RetryInterval {
  private ms = FIRST_MS;
  private highest = 0;
  private sinceMs: number;

  constructor(private readonly clock: Clock) {
    this.sinceMs = clock.monotonicMs();
  }

  /**
   * The time to the next try, in milliseconds, with a random factor of 0.5 to 1.5. `highest`: the last generation seen.
   */
  next(highest: number): number {
    const nowMs = this.clock.monotonicMs();
    const turns = highest - this.highest;
    if (this.highest > 0 && turns > 0) this.ms = Math.max(FIRST_MS, (nowMs - this.sinceMs) / turns);
    else if (this.highest > 0) this.ms *= GROWTH;
    this.ms = Math.min(this.ms, LAST_MS);
    if (turns > 0) {
      this.highest = highest;
      this.sinceMs = nowMs;
    }
    return this.ms * (0.5 + Math.random());
  }
}

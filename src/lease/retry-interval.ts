import type { Clock } from '../job/clock.ts';

/** Well below the length of a transaction, so that a released lease does not lie idle. */
const FIRST_MS = 4;
const LAST_MS = 250;
const GROWTH = 1.5;

/**
 * How long to wait between two looks at a lease that another holds. While it goes from hand to hand all who wait look
 * equally often, once a turn: whoever looked less often the longer it has waited would starve beside those that come.
 * Not less: the time to a look is part of the next turn, and a lone waiter's would grow and grow. Only a lease that stays
 * where it is is looked at less and less.
 */
export class RetryInterval {
  private ms = FIRST_MS;
  private highest = 0;
  private sinceMs: number;

  constructor(private readonly clock: Clock) {
    this.sinceMs = clock.monotonicMs();
  }

  /** The time to the next look, in milliseconds, half of it to one and a half; `highest` is the last generation seen. */
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

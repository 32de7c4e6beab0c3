import type { Clock } from '../job/clock.ts';

const GROWTH = 1.5;

/** Times the polls. Intervals are random, so that hosts do not poll in step, and grow while the queue is unchanged. */
export class PollTimer {
  private readonly clock: Clock;
  private readonly minMs: number;
  private readonly maxMs: number;
  private ceilingMs: number;
  private nextPollMs: number;
  private sleeper = new AbortController();

  constructor(clock: Clock, minMs: number, maxMs: number) {
    this.clock = clock;
    this.minMs = minMs;
    this.maxMs = maxMs;
    this.ceilingMs = minMs;
    this.nextPollMs = clock.monotonicMs() + minMs;
  }

  /** Ends the current sleep, or the next one if there is none. */
  wake(): void {
    this.sleeper.abort();
  }

  /** Returns to the shortest intervals, because the queue has changed. */
  reset(): void {
    this.ceilingMs = this.minMs;
  }

  /** Sleeps until the next poll is due, for at most `limitMs`, or until `wake`. Returns true if the poll is due. */
  async waitForPoll(limitMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    await this.sleep(Math.min(limitMs, this.nextPollMs - this.clock.monotonicMs()));
    const nowMs = this.clock.monotonicMs();
    if (nowMs < this.nextPollMs) return false;
    this.ceilingMs = Math.min(this.maxMs, this.ceilingMs * GROWTH);
    this.nextPollMs = nowMs + this.minMs + Math.random() * Math.max(0, this.ceilingMs - this.minMs);
    return true;
  }

  /** Sleeps for `ms` milliseconds, or until `wake`. */
  async sleep(ms: number): Promise<void> {
    if (ms > 0) await this.clock.sleep(ms, this.sleeper.signal);
    if (this.sleeper.signal.aborted) this.sleeper = new AbortController();
  }
}

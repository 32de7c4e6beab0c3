import type { Clock } from '../job/clock.ts';

const GROWTH = 1.5;

/** The times between polls: random, so that hosts do not poll in step, and growing while there is nothing to do. */
export class SleepCycle {
  private readonly clock: Clock;
  private readonly minMs: number;
  private readonly maxMs: number;
  private ceilingMs: number;
  private pollMs: number;
  private sleeper = new AbortController();

  constructor(clock: Clock, minMs: number, maxMs: number) {
    this.clock = clock;
    this.minMs = minMs;
    this.maxMs = maxMs;
    this.ceilingMs = minMs;
    this.pollMs = clock.monotonicMs() + minMs;
  }

  /** Ends the sleep that goes on, or the next one if none does. */
  wake(): void {
    this.sleeper.abort();
  }

  /** Something happened in the queue: poll at the shortest intervals again. */
  quicken(): void {
    this.ceilingMs = this.minMs;
  }

  /** Sleeps until the next poll is due, at most so long, or until it is woken; true if the poll is due. */
  async untilNextPoll(atMostMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    await this.sleep(Math.min(atMostMs, this.pollMs - this.clock.monotonicMs()));
    const nowMs = this.clock.monotonicMs();
    if (nowMs < this.pollMs) return false;
    this.ceilingMs = Math.min(this.maxMs, this.ceilingMs * GROWTH);
    this.pollMs = nowMs + this.minMs + Math.random() * Math.max(0, this.ceilingMs - this.minMs);
    return true;
  }

  /** Sleeps so long, or until it is woken. */
  async sleep(ms: number): Promise<void> {
    if (ms > 0) await this.clock.sleep(ms, this.sleeper.signal);
    if (this.sleeper.signal.aborted) this.sleeper = new AbortController();
  }
}

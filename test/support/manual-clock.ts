import type { Clock } from '../../src/job/clock.ts';

/** A clock that advances only when a test advances it. */
export class ManualClock implements Clock {
  private nowMs = 0;
  private suspendedMs = 0;

  readonly now = (): string => new Date(this.nowMs).toISOString();
  readonly monotonicMs = (): number => this.nowMs;
  readonly sinceBootMs = (): number => this.nowMs + this.suspendedMs;
  readonly sleep = (): Promise<void> => Promise.resolve();

  /** Suspends the host: time passes only for the clock that counts from boot. */
  sleepThrough(ms: number): void {
    this.suspendedMs += ms;
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }
}

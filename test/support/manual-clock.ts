import type { Clock } from '../../src/job/clock.ts';

/** A clock that stands still but for what a test adds to it. */
export class ManualClock implements Clock {
  private nowMs = 0;
  private suspendedMs = 0;

  readonly now = (): string => new Date(this.nowMs).toISOString();
  readonly monotonicMs = (): number => this.nowMs;
  readonly sinceBootMs = (): number => this.nowMs + this.suspendedMs;
  readonly sleep = (): Promise<void> => Promise.resolve();

  /** The host is suspended for so long. */
  sleepThrough(ms: number): void {
    this.suspendedMs += ms;
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }
}

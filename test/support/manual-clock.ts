import type { Clock } from '../../src/job/clock.ts';

/** A clock that stands still but for what a test adds to it. */
export class ManualClock implements Clock {
  private nowMs = 0;

  readonly now = (): string => new Date(this.nowMs).toISOString();
  readonly monotonicMs = (): number => this.nowMs;
  readonly sleep = (): Promise<void> => Promise.resolve();

  pass(ms: number): void {
    this.nowMs += ms;
  }
}

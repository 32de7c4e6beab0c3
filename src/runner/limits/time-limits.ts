import type { Clock } from '../../job/clock.ts';
import { isPaused, type JournaledAttempt } from '../journal/journal-entries.ts';
import { attemptName } from '../protocol/messages.ts';
import { Alarm } from './alarm.ts';

export interface TimeLimitsOptions {
  readonly clock: Clock;
  readonly onWarning: (attempt: JournaledAttempt) => void;
  readonly onLimit: (attempt: JournaledAttempt) => void;
}

/** Watches the time limits of running attempts. */
export class TimeLimits {
  private readonly attempts = new Map<string, JournaledAttempt>();
  private readonly alarm: Alarm;

  constructor(private readonly options: TimeLimitsOptions) {
    this.alarm = new Alarm(options.clock.monotonicMs, () => this.check());
  }

  /** To be called when an attempt starts, and again when it is resumed. */
  add(attempt: JournaledAttempt): void {
    if (attempt.limits?.timeLimitMs === undefined) return;
    this.attempts.set(attemptName(attempt), attempt);
    this.alarm.setAt(this.nextMs(attempt));
  }

  remove(name: string): void {
    this.attempts.delete(name);
  }

  private check(): void {
    const nowMs = this.options.clock.monotonicMs();
    for (const attempt of [...this.attempts.values()]) {
      const { timeLimitMs = Number.POSITIVE_INFINITY } = attempt.limits ?? {};
      if (this.nextMs(attempt) <= nowMs) {
        if (runTimeMs(attempt, nowMs) >= timeLimitMs) this.options.onLimit(attempt);
        else this.options.onWarning(attempt);
      }
      if (this.attempts.has(attemptName(attempt))) this.alarm.setAt(this.nextMs(attempt));
    }
  }

  /** The time of the warning, or of the limit if the warning is sent; never while the attempt is paused. */
  private nextMs(attempt: JournaledAttempt): number {
    const { limits = {}, monotonic_ms, pause, isWarned = false } = attempt;
    const { timeLimitMs = Number.POSITIVE_INFINITY, warn } = limits;
    if (isPaused(attempt)) return Number.POSITIVE_INFINITY;
    const beforeMs = warn === undefined || isWarned ? 0 : warn.beforeMs;
    return monotonic_ms + (pause?.earlierMs ?? 0) + timeLimitMs - beforeMs;
  }
}

/** How long an attempt has run, without the time in which it was paused. */
function runTimeMs({ monotonic_ms, pause }: JournaledAttempt, nowMs: number): number {
  return nowMs - monotonic_ms - (pause?.earlierMs ?? 0);
}

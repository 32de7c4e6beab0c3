import type { Wait } from '../../job/activity.ts';

/** The waits of a process. */
export interface ObservedState {
  readonly operation: string | undefined;
  readonly wait: Wait | undefined;
  /** How long a thread has been blocked in one system call, in milliseconds; 0 if none is. */
  readonly blockedMs: number;
}

/** When a wait is reported, in multiples of the first time; afterwards at every multiple of the last. */
const TIMES = [1, 3, 6] as const;
const LAST_TIME = 6;

/** Decides when to report a wait: after the first time, and then at growing intervals. */
export class Reporter {
  private reports = 0;
  private last: Wait | undefined;

  /** `firstMs`: how long a wait is not reported. `hint`: the end of each line. */
  constructor(
    private readonly queue: string,
    private readonly firstMs: number,
    private readonly hint: string,
  ) {}

  /** The line to print at this time of the monotonic clock, or undefined. */
  line(observed: ObservedState, nowMs: number): string | undefined {
    const wait = this.waitOf(observed, nowMs);
    if (wait === undefined) return this.endLine(nowMs);
    const waitedMs = nowMs - wait.sinceMs;
    if (waitedMs < this.dueMs()) return undefined;
    while (waitedMs >= this.dueMs()) this.reports += 1;
    this.last = wait;
    return `still waiting after ${seconds(waitedMs)}: ${wait.reason}${this.hint}`;
  }

  private waitOf({ wait, operation = 'using its files', blockedMs }: ObservedState, nowMs: number): Wait | undefined {
    if (blockedMs >= this.firstMs) {
      return { reason: `${this.queue} does not answer: ${operation}`, sinceMs: nowMs - blockedMs };
    }
    return wait !== undefined && nowMs - wait.sinceMs >= this.firstMs ? wait : undefined;
  }

  private endLine(nowMs: number): string | undefined {
    const { last } = this;
    this.last = undefined;
    this.reports = 0;
    return last === undefined ? undefined : `continuing after ${seconds(nowMs - last.sinceMs)}: ${last.reason}`;
  }

  private dueMs(): number {
    const time = TIMES[this.reports] ?? LAST_TIME * (this.reports - TIMES.length + 2);
    return time * this.firstMs;
  }
}

/** Whole seconds, such as `10 s`. */
export function seconds(ms: number): string {
  return `${Math.floor(ms / 1000)} s`;
}

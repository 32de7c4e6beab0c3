import type { ShownWait } from '../../job/wait-board.ts';

/** What is seen of a process that may wait: its latest lock wait, its latest step, and how long it has not moved. */
export interface Seen {
  readonly lock: ShownWait | undefined;
  readonly step: ShownWait | undefined;
  /** How long a thread has been in one and the same call of the kernel, in milliseconds; 0 where none is. */
  readonly stuckMs: number;
}

/** When it is said, in multiples of the first time; after that each time that the last of them has passed again. */
const TIMES = [1, 3, 6] as const;
const LAST_TIME = 6;

/** Decides when to say what a process waits for: after the first time, and then at growing intervals. */
export class Reporter {
  private said = 0;
  private last: { readonly what: string; readonly sinceMs: number } | undefined;

  /** `firstMs`: how long nothing is said. `hint` stands at the end of each line. */
  constructor(
    private readonly queue: string,
    private readonly firstMs: number,
    private readonly hint: string,
  ) {}

  /** The line that is due at this time (of `steadyMs`), undefined mostly. */
  look(seen: Seen, nowMs: number): string | undefined {
    const wait = this.waitOf(seen, nowMs);
    if (wait === undefined) return this.answered(nowMs);
    const waitedMs = nowMs - wait.sinceMs;
    if (waitedMs < this.dueMs()) return undefined;
    while (waitedMs >= this.dueMs()) this.said += 1;
    this.last = wait;
    return `waiting for ${seconds(waitedMs)} already: ${wait.what}${this.hint}`;
  }

  private waitOf({ lock, step, stuckMs }: Seen, nowMs: number): { what: string; sinceMs: number } | undefined {
    if (stuckMs >= this.firstMs) {
      const doing = step === undefined ? 'using its files' : step.what;
      return { what: `${this.queue} does not answer: ${doing}`, sinceMs: nowMs - stuckMs };
    }
    if (lock === undefined || nowMs - lock.sinceMs < this.firstMs) return undefined;
    return { what: lock.what, sinceMs: lock.sinceMs };
  }

  private answered(nowMs: number): string | undefined {
    const { last } = this;
    this.last = undefined;
    this.said = 0;
    return last === undefined ? undefined : `goes on after waiting for ${seconds(nowMs - last.sinceMs)}: ${last.what}`;
  }

  private dueMs(): number {
    const time = TIMES[this.said] ?? LAST_TIME * (this.said - TIMES.length + 2);
    return time * this.firstMs;
  }
}

/** As people say it: `10 s`. */
export function seconds(ms: number): string {
  return `${Math.floor(ms / 1000)} s`;
}

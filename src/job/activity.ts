import { systemClock } from './clock.ts';

/** The reason of a wait for another process, and its start (`Clock.monotonicMs`). */
export interface Wait {
  readonly reason: string;
  readonly sinceMs: number;
}

/** The operations and waits of a process, as plain data that another thread can read. */
export interface ActivityState {
  /** The innermost file operation, such as "reading /q/db". The kernel may block the process in it. */
  readonly operation: string | undefined;
  /** The innermost wait for another process, with the start of the outermost. */
  readonly wait: Wait | undefined;
  /** A change of the queue is committed, or may be. */
  readonly mayHaveChanged: boolean;
  /** No lock timeout ends the process. */
  readonly isUnlimited: boolean;
}

/**
 * Records what a process is doing with a queue, for an observer that reports long waits. The command line provides an
 * observer. Without one, the record has no effect.
 */
export class Activity {
  private readonly operations: string[] = [];
  private readonly waits: OpenWait[] = [];
  private hasChange = false;
  private isUnlimited = false;

  constructor(private readonly observe: (state: ActivityState) => void = () => undefined) {}

  /** Runs file operations that block this thread for as long as the file system does not answer. */
  during<T>(operation: string, work: () => T): T {
    this.operations.push(operation);
    this.report();
    try {
      return work();
    } finally {
      this.operations.pop();
      this.report();
    }
  }

  /** Runs work that may have to wait for other processes. A wait begins with the first call of `wait.for`. */
  async waiting<T>(work: (wait: OpenWait) => Promise<T>): Promise<T> {
    const wait = new OpenWait((outermost) => {
      if (!this.waits.includes(outermost)) this.waits.push(outermost);
      this.report();
    });
    try {
      return await work(wait);
    } finally {
      const index = this.waits.indexOf(wait);
      if (index >= 0) this.waits.splice(index, 1);
      if (index >= 0) this.report();
    }
  }

  get mayHaveChanged(): boolean {
    return this.hasChange;
  }

  set mayHaveChanged(value: boolean) {
    this.hasChange = value;
    this.report();
  }

  /** From now on, no lock timeout ends the process. */
  ignoreTimeout(): void {
    this.isUnlimited = true;
    this.report();
  }

  private report(): void {
    const reason = this.waits.at(-1)?.reason;
    const sinceMs = this.waits[0]?.sinceMs;
    this.observe({
      operation: this.operations.at(-1),
      wait: reason === undefined || sinceMs === undefined ? undefined : { reason, sinceMs },
      mayHaveChanged: this.hasChange,
      isUnlimited: this.isUnlimited,
    });
  }
}

/** One wait for other processes, until the work that needs it has ended. */
export class OpenWait {
  reason: string | undefined;
  sinceMs: number | undefined;

  constructor(private readonly report: (wait: OpenWait) => void) {}

  /** Sets the current reason of the wait. */
  for(reason: string): void {
    this.reason = reason;
    this.sinceMs ??= systemClock.monotonicMs();
    this.report(this);
  }
}

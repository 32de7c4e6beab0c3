import type { RunnerLog } from '../log.ts';
import { isAlive, type Leader } from './leader.ts';

const POLL_MS = 1000;

/** Polls processes that are not children of the runner. There is no timer while there are none. */
export class AdoptedProcesses {
  private readonly listeners = new Map<Leader, () => void>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly log: RunnerLog) {}

  /** Calls `onEnd` once, after the process has ended. */
  add(leader: Leader, onEnd: () => void): void {
    this.listeners.set(leader, onEnd);
    this.timer ??= setInterval(() => this.poll(), POLL_MS);
  }

  get size(): number {
    return this.listeners.size;
  }

  has(leader: Leader): boolean {
    return this.listeners.has(leader);
  }

  private poll(): void {
    for (const [leader, onEnd] of this.listeners) {
      if (this.mayRun(leader)) continue;
      this.listeners.delete(leader);
      onEnd();
    }
    if (this.listeners.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private mayRun(leader: Leader): boolean {
    try {
      return isAlive(leader);
    } catch (error) {
      this.log.failed('poll an adopted process', error);
      return true;
    }
  }
}

import { isAlive } from './adopt.ts';
import type { Leader } from './grace.ts';
import type { RunnerLog } from './log.ts';

const LOOK_MS = 1000;

/** Looks once a second after processes that are not our children; costs nothing while there are none. */
export class Watch {
  private readonly watched = new Map<Leader, () => void>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly log: RunnerLog) {}

  /** Calls `onGone` once, when the process has ended. */
  add(leader: Leader, onGone: () => void): void {
    this.watched.set(leader, onGone);
    this.timer ??= setInterval(() => this.look(), LOOK_MS);
  }

  get size(): number {
    return this.watched.size;
  }

  has(leader: Leader): boolean {
    return this.watched.has(leader);
  }

  private look(): void {
    for (const [leader, onGone] of this.watched) {
      if (this.isThere(leader)) continue;
      this.watched.delete(leader);
      onGone();
    }
    if (this.watched.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private isThere(leader: Leader): boolean {
    try {
      return isAlive(leader);
    } catch (error) {
      // Not able to look is not the same as gone.
      this.log.failed('look after an adopted process', error);
      return true;
    }
  }
}

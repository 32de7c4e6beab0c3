import type { Clock } from '../job/clock.ts';
import type { AttemptEnd } from '../queue/exchange/exchange.ts';

/** So many jobs in a row may fail to start before the host itself is suspected. */
const SUSPECT_AFTER = 3;
const FIRST_MS = 500;
const LAST_MS = 60_000;

/**
 * Keeps a host on which no job can be started from taking them all: where a file system is not mounted, each job would
 * be dead in a moment, and those that other hosts could run with them. After some that could not be started, one after
 * the other, none is claimed for a while, and ever longer.
 */
export class HoldOff {
  private failures = 0;
  private untilMs = 0;

  constructor(private readonly clock: Clock) {}

  /** For how long no job is to be claimed or started, in milliseconds; 0 if they may be. */
  get remainingMs(): number {
    return Math.max(0, this.untilMs - this.clock.monotonicMs());
  }

  /** A job was started: the host is well. */
  started(): void {
    this.failures = 0;
    this.untilMs = 0;
  }

  /** An attempt ended; true if the host is held off from now on because it could not be started. */
  ended({ pid, reason, isLost }: AttemptEnd): boolean {
    if (pid !== null || reason === null || isLost) return false;
    this.failures += 1;
    if (this.failures < SUSPECT_AFTER) return false;
    this.hold();
    return true;
  }

  /**
   * An attempt was not begun for what is wrong with this host: no other job would be. False if the host is held off
   * already, as for the others that were asked for at the same time.
   */
  hindered(): boolean {
    if (this.remainingMs > 0) return false;
    this.failures = Math.max(this.failures + 1, SUSPECT_AFTER);
    this.hold();
    return true;
  }

  private hold(): void {
    const pauseMs = Math.min(LAST_MS, FIRST_MS * 2 ** (this.failures - SUSPECT_AFTER));
    this.untilMs = this.clock.monotonicMs() + pauseMs;
  }
}

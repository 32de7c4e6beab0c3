import type { Clock } from '../job/clock.ts';
import type { AttemptEnd } from '../queue/exchange/exchange.ts';

/** After this many failed starts in a row the host itself is the suspected cause. */
const MAX_FAILED_STARTS = 3;
const FIRST_MS = 500;
const MAX_MS = 60_000;

/**
 * Suspends claims on a host that cannot start jobs, for example because a file system is not mounted. Otherwise it would
 * claim job after job and make them dead, although other hosts can run them. The delay doubles until a job starts.
 */
export class ClaimBackoff {
  private failures = 0;
  private untilMs = 0;

  constructor(private readonly clock: Clock) {}

  /** How long no job may be claimed or started, in milliseconds. */
  get remainingMs(): number {
    return Math.max(0, this.untilMs - this.clock.monotonicMs());
  }

  recordStart(): void {
    this.failures = 0;
    this.untilMs = 0;
  }

  /** Counts an attempt that could not be started. Returns true if claims are suspended from now on. */
  recordEnd({ pid, reason, isLost }: AttemptEnd): boolean {
    if (pid !== null || reason === null || isLost) return false;
    this.failures += 1;
    if (this.failures < MAX_FAILED_STARTS) return false;
    this.suspend();
    return true;
  }

  /**
   * Records that this host cannot start any job. Returns false if claims are suspended already, as for the other jobs
   * that were sent to the runner at the same time.
   */
  recordHostFailure(): boolean {
    if (this.remainingMs > 0) return false;
    this.failures = Math.max(this.failures + 1, MAX_FAILED_STARTS);
    this.suspend();
    return true;
  }

  private suspend(): void {
    const pauseMs = Math.min(MAX_MS, FIRST_MS * 2 ** (this.failures - MAX_FAILED_STARTS));
    this.untilMs = this.clock.monotonicMs() + pauseMs;
  }
}

import type { Clock } from '../job/clock.ts';

const FIRST_MS = 500;
const MAX_MS = 60_000;

/**
 * Suspends claims on a host that cannot start any job, for example because it has too many processes or its local disk is full.
 * The delay doubles until a job starts.
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

  /**
   * Records that this host cannot start any job. Returns false if claims are suspended already, as for the other jobs
   * that were sent to the runner at the same time.
   */
  recordFailure(): boolean {
    if (this.remainingMs > 0) return false;
    this.untilMs = this.clock.monotonicMs() + Math.min(MAX_MS, FIRST_MS * 2 ** this.failures);
    this.failures += 1;
    return true;
  }
}

import { errorCode, RqError } from '../job/errors.ts';

const FIRST_MS = 500;
const LAST_MS = 60_000;
const LAST_TRIES = 3;
/** What waiting may mend; anything else ends the feeder, and its jobs go on. */
const PASSING = new Set(['BUSY', 'IO', 'NO_SPACE', 'OUTCOME_UNKNOWN', 'RUNNER']);
/** The same as the system calls it (errno(3)): a share that does not answer well, a full disk. */
const PASSING_SYSTEM = new Set([
  'EIO',
  'ESTALE',
  'ETIMEDOUT',
  'EREMOTEIO',
  'EAGAIN',
  'EINTR',
  'ENOLCK',
  'ENOMEM',
  'ENOSPC',
  'EDQUOT',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** How long to wait after one failure after another, and which of them are no reason to give up. */
export class BackOff {
  private failures = 0;

  constructor(private readonly retries: number) {}

  /** It went well. */
  reset(): void {
    this.failures = 0;
  }

  /**
   * The time until the next try, in milliseconds. Throws the error itself where waiting mends nothing, and for too many;
   * where it is hardly worth waiting (`isVain`) after a few.
   */
  after(error: unknown, isVain: boolean): number {
    const isPassing = error instanceof RqError ? PASSING.has(error.code) : PASSING_SYSTEM.has(errorCode(error) ?? '');
    if (!isPassing) throw error;
    this.failures += 1;
    if (this.failures > Math.min(this.retries, isVain ? LAST_TRIES : this.retries)) throw error;
    return Math.min(LAST_MS, FIRST_MS * 2 ** this.failures) * (0.5 + Math.random() / 2);
  }
}

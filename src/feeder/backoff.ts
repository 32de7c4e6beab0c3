import { errorCode, RqError } from '../job/errors.ts';

const FIRST_MS = 500;
const MAX_MS = 60_000;
/** The number of retries of a feeder that is ending. */
const ENDING_RETRIES = 3;
/** Errors that may not recur on a retry. Any other error ends the feeder, while its jobs continue to run. */
const TRANSIENT_ERRORS = new Set(['BUSY', 'IO', 'NO_SPACE', 'OUTCOME_UNKNOWN', 'RUNNER']);
/** The same as system errors (errno(3)): a file system that does not answer, or a full disk. */
const TRANSIENT_SYSTEM_ERRORS = new Set([
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

/** Computes the delay after successive transient errors: exponential, with jitter. */
export class Backoff {
  private failures = 0;

  constructor(private readonly maxRetries: number) {}

  /** Records a success. */
  reset(): void {
    this.failures = 0;
  }

  /**
   * Returns the delay until the next try, in milliseconds. Throws the error if it is not transient, or after too many
   * failures: after a few if `isEnding`, because the next feeder can continue the work.
   */
  delayMs(error: unknown, isEnding: boolean): number {
    if (!isTransient(error)) throw error;
    this.failures += 1;
    if (this.failures > Math.min(this.maxRetries, isEnding ? ENDING_RETRIES : this.maxRetries)) throw error;
    return Math.min(MAX_MS, FIRST_MS * 2 ** this.failures) * (0.5 + Math.random() / 2);
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof RqError) return TRANSIENT_ERRORS.has(error.code);
  return TRANSIENT_SYSTEM_ERRORS.has(errorCode(error) ?? '');
}

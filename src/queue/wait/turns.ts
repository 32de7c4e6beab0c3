import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';
import { ensurePrivateDirectory, runtimeRoot } from '../../job/runtime-directory.ts';

/** The shortest time between two reads. A read of a waiter takes about a millisecond of processor time. */
const TURN_MS = 50;
/** The shortest and the longest time until a waiter tries again. */
const FIRST_RETRY_MS = TURN_MS;
const MAX_RETRY_MS = 2_000;

/**
 * Spreads the reads of all waiters of this user and host. A feeder of short jobs commits many times a second, and each commit
 * wakes all waiters, whose read locks delay the next one. The time stamp of a local file is that of the last read.
 */
export class Turns {
  private retryMs = FIRST_RETRY_MS;
  private readonly path = join(runtimeRoot(), 'waiters');

  /** Whether this waiter may read now. False also if the runtime directory cannot be used. */
  take(): boolean {
    if (!this.tryTake()) return false;
    this.retryMs = FIRST_RETRY_MS;
    return true;
  }

  /** A random time to wait after a failed `take`, longer after each. */
  nextRetryMs(): number {
    const retryMs = this.retryMs;
    this.retryMs = Math.min(MAX_RETRY_MS, 2 * retryMs);
    return retryMs * (0.5 + Math.random());
  }

  private tryTake(): boolean {
    const now = new Date();
    try {
      const passedMs = now.getTime() - statSync(this.path).mtimeMs;
      // The clock may have been set back.
      if (passedMs >= 0 && passedMs < TURN_MS) return false;
      utimesSync(this.path, now, now);
      return true;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return this.create();
      if (errorCode(error) === undefined) throw error;
      return false;
    }
  }

  private create(): boolean {
    try {
      ensurePrivateDirectory(runtimeRoot());
      writeFileSync(this.path, '', { mode: 0o600 });
      return true;
    } catch (error) {
      if (errorCode(error) === undefined && !(error instanceof RqError)) throw error;
      return false;
    }
  }
}

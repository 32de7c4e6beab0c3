import { errorCode, RqError } from '../../job/errors.ts';
import { storeError } from '../../store/connection.ts';
import type { Queue } from '../open.ts';
import { waitReason } from './transient.ts';

interface RetryOptions {
  readonly everyMs: number;
  /** Whether a later try may succeed after an error with this code. */
  readonly isTransient: (code: string) => boolean;
  /** The error after the timeout is `cannot ACTION within 10 s: WHY`. */
  readonly action: string;
  readonly why: string;
}

/**
 * Repeats work until it succeeds, fails with an error that is not transient, or the queue's lock timeout has passed.
 * Throws BUSY after the timeout, and converts errors of SQLite.
 */
export async function retry<T>(
  queue: Queue,
  { everyMs, isTransient, action, why }: RetryOptions,
  work: () => T | Promise<T>,
): Promise<T> {
  const { clock, database, lockTimeoutMs } = queue;
  const deadlineMs = clock.monotonicMs() + lockTimeoutMs;
  return await queue.activity.waiting(async (wait) => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isTransient(errorCode(error) ?? '')) throw storeError(error, database);
        if (clock.monotonicMs() >= deadlineMs) throw timeoutError(queue, action, why, error);
        wait.for(waitReason(database, error));
      }
      await clock.sleep(everyMs);
    }
  });
}

/** The error after the lock timeout. `cause`: the error that ended the last try. */
export function timeoutError(queue: Queue, action: string, why: string, cause: unknown): unknown {
  const code = errorCode(cause) ?? 'BUSY';
  if (!/^(?:SQLITE_)?BUSY/.test(code)) return storeError(cause, queue.database);
  const seconds = (queue.lockTimeoutMs / 1000).toFixed(0);
  const message = `cannot ${action} within ${seconds} s: ${why}; try again, or wait longer with --lock-timeout`;
  return new RqError('BUSY', message, { cause });
}

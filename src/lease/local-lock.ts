import { errorCode, errorMessage, RqError } from '../job/errors.ts';

/** The library's limits are 2 s for `stale` and 1 s for `update`. */
const STALE_MS = 5_000;
const UPDATE_MS = 1_000;
const RETRY_MS = 50;

/**
 * Runs work while this process holds a lock on a path of a local disk; the lock is the directory `PATH.lock`. Throws BUSY
 * after the timeout.
 *
 * proper-lockfile (4.1) has faults that make it unfit for the lease. Here they do no harm:
 * - Two processes that remove a stale lock at once may both get it. A lock is stale only after its holder was killed
 *   within the moment of the work, and the work itself must tolerate a second process (see the callers).
 * - `release` removes whatever is there, also the lock of another process. That needs the same fault before it.
 * - The staleness check compares two clocks, and a `stat` may be old. A local disk has one clock and no cache.
 * - The timer does not run while SQL runs synchronously. No SQL runs under this lock.
 * - `onCompromised` throws from a timer by default. It is replaced.
 *
 * The library is loaded on first use: it listens to signals from then on (by signal-exit), also while no lock is held.
 * Such a listener and those of `ReleaseAtSignal` each leave a signal to the other. Do not take this lock while a lease is
 * held, nor acquire a lease afterwards without a signal handler of your own.
 */
export async function withLocalLock<T>(path: string, timeoutMs: number, work: () => Promise<T> | T): Promise<T> {
  const release = await acquire(path, timeoutMs);
  try {
    return await work();
  } finally {
    await release().catch((error: unknown) => {
      // ERELEASED and ENOTACQUIRED: the lock was lost. Another code: others remove the lock when it is stale.
      if (errorCode(error) === undefined) throw error;
    });
  }
}

async function acquire(path: string, timeoutMs: number): Promise<() => Promise<void>> {
  const { lock } = await import('proper-lockfile');
  try {
    return await lock(path, {
      realpath: false,
      stale: STALE_MS,
      update: UPDATE_MS,
      retries: { retries: Math.ceil(timeoutMs / RETRY_MS), factor: 1, minTimeout: RETRY_MS },
      onCompromised: () => undefined,
    });
  } catch (error) {
    const details = { cause: error, facts: { path } };
    if (errorCode(error) === 'ELOCKED') {
      const seconds = (timeoutMs / 1000).toFixed(0);
      throw new RqError('BUSY', `cannot lock ${path} within ${seconds} s: another process holds ${path}.lock`, details);
    }
    throw new RqError('IO', `cannot lock ${path}: ${errorMessage(error)}`, details);
  }
}

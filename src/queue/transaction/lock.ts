import { errorCode, RqError } from '../../job/errors.ts';
import { type LockWait, step, withLockWait } from '../../job/waits.ts';
import { Connection, storeError } from '../../store/connection.ts';
import type { Queue } from '../open.ts';
import { holdLease } from './hold-lease.ts';
import { read } from './read.ts';
import { refuseReadOnly } from './transaction.ts';
import { waitReason } from './wait-reason.ts';

const RETRY_MS = 50;

/**
 * Holds a lock on the queue while the work is done. `shared`: others may read, and nobody commits; several may hold it.
 * `exclusive`: nobody else reads or writes. It is gone when this process is, however it ends (the lease after 30 s).
 */
export async function holdLock<T>(queue: Queue, kind: 'shared' | 'exclusive', work: () => Promise<T>): Promise<T> {
  if (kind === 'exclusive') refuseReadOnly(queue);
  // Whatever a dead writer left is rolled back first.
  await read(queue, () => undefined);
  if (queue.locking === 'lease') return await holdLease(queue, work);
  if (kind === 'shared') return await holdDatabase(queue, 'BEGIN', work);
  return await holdLease(queue, () => holdDatabase(queue, 'BEGIN EXCLUSIVE', work));
}

/** The connection is one of its own: what is locked by it must not be given back by a transaction of the queue's. */
async function holdDatabase<T>(queue: Queue, begin: string, work: () => Promise<T>): Promise<T> {
  const connection = Connection.open(queue.database, { readOnly: begin === 'BEGIN', busyMs: 0 });
  try {
    await withLockWait((wait) => lockDatabase(queue, connection, begin, wait));
    return await work();
  } finally {
    connection.close();
  }
}

async function lockDatabase(queue: Queue, connection: Connection, begin: string, wait: LockWait): Promise<void> {
  const { clock, lockTimeoutMs, directory } = queue;
  const deadlineMs = clock.monotonicMs() + lockTimeoutMs;
  for (;;) {
    try {
      // Only a read takes the shared lock.
      step(`locking ${queue.database}`, () => {
        connection.execute(begin);
        connection.version();
      });
      return;
    } catch (error) {
      if (errorCode(error)?.startsWith('SQLITE_BUSY') !== true) throw storeError(error, queue.database);
      if (connection.inTransaction) connection.execute('ROLLBACK');
      if (clock.monotonicMs() >= deadlineMs) {
        const seconds = (lockTimeoutMs / 1000).toFixed(0);
        const message = `cannot lock ${directory} within ${seconds} s: others read or write; try again, or wait longer with --lock-timeout`;
        throw new RqError('BUSY', message, { cause: error });
      }
      wait.say(waitReason(queue.database, error));
    }
    await clock.sleep(RETRY_MS);
  }
}

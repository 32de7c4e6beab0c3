import type { OpenWait } from '../../job/activity.ts';
import { errorCode, RqError } from '../../job/errors.ts';
import { Connection, storeError } from '../../store/connection.ts';
import type { Queue } from '../open.ts';
import { read } from './read.ts';
import { refuseReadOnly } from './transaction.ts';
import { waitReason } from './transient.ts';
import { holdLease } from './under-lease.ts';

const RETRY_MS = 50;

/**
 * Holds a lock on the queue during the work. `shared`: others may read, and no one commits; several processes may hold
 * it. `exclusive`: no one else reads or writes. The lock ends with the process (the lease after 30 s).
 */
export async function holdLock<T>(queue: Queue, kind: 'shared' | 'exclusive', work: () => Promise<T>): Promise<T> {
  if (kind === 'exclusive') refuseReadOnly(queue);
  // A read rolls back the journal of a dead writer.
  await read(queue, () => undefined);
  if (queue.locking === 'lease') return await holdLease(queue, work);
  if (kind === 'shared') return await holdDatabase(queue, 'BEGIN', work);
  return await holdLease(queue, () => holdDatabase(queue, 'BEGIN EXCLUSIVE', work));
}

/** Uses its own connection, so that no transaction of the queue's connection releases the lock. */
async function holdDatabase<T>(queue: Queue, begin: string, work: () => Promise<T>): Promise<T> {
  const connection = Connection.open(queue.database, { readOnly: begin === 'BEGIN', busyMs: 0 });
  try {
    await queue.activity.waiting((wait) => lockDatabase(queue, connection, begin, wait));
    return await work();
  } finally {
    connection.close();
  }
}

async function lockDatabase(queue: Queue, connection: Connection, begin: string, wait: OpenWait): Promise<void> {
  const { activity, clock, lockTimeoutMs, directory } = queue;
  const deadlineMs = clock.monotonicMs() + lockTimeoutMs;
  for (;;) {
    try {
      activity.during(`locking ${queue.database}`, () => {
        connection.execute(begin);
        // After a plain BEGIN, only a read acquires the shared lock.
        connection.version();
      });
      return;
    } catch (error) {
      if (errorCode(error)?.startsWith('SQLITE_BUSY') !== true) throw storeError(error, queue.database);
      if (connection.inTransaction) connection.execute('ROLLBACK');
      if (clock.monotonicMs() >= deadlineMs) {
        const seconds = (lockTimeoutMs / 1000).toFixed(0);
        const message = `cannot lock ${directory} within ${seconds} s: another process is reading or writing; try again, or wait longer with --lock-timeout`;
        throw new RqError('BUSY', message, { cause: error });
      }
      wait.for(waitReason(queue.database, error));
    }
    await clock.sleep(RETRY_MS);
  }
}

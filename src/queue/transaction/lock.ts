import { Connection } from '../../store/connection.ts';
import type { Queue } from '../open.ts';
import { read } from './read.ts';
import { retry } from './retry.ts';
import { refuseReadOnly } from './transaction.ts';
import { isLocked } from './transient.ts';
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
  const { activity, database, directory } = queue;
  const connection = Connection.open(database, { readOnly: begin === 'BEGIN', busyMs: 0 });
  const lock = (): void => {
    if (connection.inTransaction) connection.execute('ROLLBACK');
    connection.execute(begin);
    // After a plain BEGIN, only a read acquires the shared lock.
    connection.version();
  };
  const texts = { action: `lock ${directory}`, why: 'another process is reading or writing' };
  try {
    await retry(queue, { everyMs: RETRY_MS, isTransient: isLocked, ...texts }, () =>
      activity.during(`locking ${database}`, lock),
    );
    return await work();
  } finally {
    connection.close();
  }
}

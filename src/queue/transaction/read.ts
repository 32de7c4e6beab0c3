import { errorCode, RqError } from '../../job/errors.ts';
import type { Lease } from '../../lease/lease.ts';
import { type Connection, mayBeReplaced, storeError } from '../../store/connection.ts';
import type { Queue } from '../open.ts';
import { retry, timeoutError } from './retry.ts';
import { refuseReadOnly } from './transaction.ts';
import { hasDeadWriter, isTransient } from './transient.ts';
import { underLease } from './under-lease.ts';

const RETRY_MS = 20;
/** Why a read did not succeed within the lock timeout. */
const WHY = 'another process is writing';

/**
 * Reads a queue in one short transaction, which has ended when this returns, so that nothing is printed under a lock. If a
 * writer died and left a journal, a writer's connection rolls it back first. Throws BUSY, QUEUE_DAMAGED, NOT_ALLOWED, IO.
 */
export async function read<T>(queue: Queue, work: (connection: Connection) => T): Promise<T> {
  if (queue.locking === 'lease') return await readUnderLease(queue, work);
  const options = { everyMs: RETRY_MS, action: `read ${queue.directory}`, why: WHY };
  const isRetried = (code: string): boolean => isTransient(code) || hasDeadWriter(code);
  return await retry(queue, { ...options, isTransient: isRetried }, () => readWithLocks(queue, work));
}

/** Throws QUEUE_OUTDATED or QUEUE_VERSION if this rq cannot change the queue because of its schema. */
export async function requireCurrentSchema(queue: Queue): Promise<void> {
  await read(queue, (connection) => connection.requireCurrent());
}

async function readWithLocks<T>(queue: Queue, work: (connection: Connection) => T): Promise<T> {
  for (;;) {
    const wasOpen = queue.isOpen;
    queue.revalidateDirectory();
    try {
      return queue.activity.during(`reading ${queue.database}`, () => readOnce(queue, work));
    } catch (error) {
      const code = errorCode(error) ?? '';
      if (wasOpen && mayBeReplaced(code)) continue;
      if (hasDeadWriter(code)) await rollBackDeadWriter(queue, error);
      throw error;
    }
  }
}

async function readUnderLease<T>(queue: Queue, work: (connection: Connection) => T): Promise<T> {
  const { clock } = queue;
  const deadlineMs = clock.monotonicMs() + queue.lockTimeoutMs;
  for (;;) {
    const found = await underLease(queue, (lease) => readOwned(queue, work, lease));
    if (found !== undefined) return found.result;
    if (clock.monotonicMs() >= deadlineMs) {
      throw timeoutError(queue, `read ${queue.directory}`, WHY, new RqError('BUSY', 'rq lost the lease on every try'));
    }
  }
}

/** Undefined if the lease was lost, so that another process may have written at the same time. */
function readOwned<T>(queue: Queue, work: (connection: Connection) => T, lease: Lease): { result: T } | undefined {
  // Reading the database rolls back a journal, which must not be that of a writer that lives.
  if (!lease.isOwned()) return undefined;
  try {
    // Without locks, what this host has cached of the database may be stale.
    queue.close();
    queue.connect('write');
    const result = queue.activity.during(`reading ${queue.database}`, () => readOnce(queue, work));
    return lease.isOwned() ? { result } : undefined;
  } catch (error) {
    if (mayBeReplaced(errorCode(error) ?? '') && !lease.isOwned()) return undefined;
    throw storeError(error, queue.database);
  }
}

function readOnce<T>(queue: Queue, work: (connection: Connection) => T): T {
  const connection = queue.connect('read');
  let isRead = false;
  try {
    connection.execute('BEGIN');
    connection.version();
    const result = work(connection);
    connection.execute('COMMIT');
    isRead = true;
    return result;
  } finally {
    if (!isRead) queue.close();
  }
}

/** Has SQLite roll back the journal of a dead writer, which it does when a writer's connection takes the lock. */
async function rollBackDeadWriter(queue: Queue, cause: unknown): Promise<void> {
  refuseReadOnly(queue);
  try {
    await underLease(queue, () => queue.connect('write').execute('BEGIN IMMEDIATE; ROLLBACK'));
  } catch (error) {
    if (isTransient(errorCode(error) ?? '')) return;
    const translated = storeError(error, queue.database);
    if (!(translated instanceof RqError) || translated.code !== 'NOT_ALLOWED') throw translated;
    throw new RqError(
      'NOT_ALLOWED',
      `cannot read ${queue.database}: a writer died and left a journal, and you have no permission to roll it back; ask the owner of the queue to run: rq ${queue.directory} list`,
      { cause },
    );
  }
}

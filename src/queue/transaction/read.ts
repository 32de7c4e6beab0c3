import { errorCode, RqError } from '../../job/errors.ts';
import { type LockWait, step, withLockWait } from '../../job/waits.ts';
import type { Lease } from '../../lease/lease.ts';
import { type Connection, mayBeReplaced, storeError } from '../../store/connection.ts';
import { SCHEMA_VERSION } from '../../store/schema.ts';
import type { Queue } from '../open.ts';
import { settleQueue } from './transaction.ts';
import { underLease } from './under-lease.ts';
import { waitReason } from './wait-reason.ts';

const RETRY_MS = 20;

/**
 * Reads a queue in one short transaction, that is over when this returns: what is printed is printed without a lock.
 * Where a writer died and left a journal, another transaction rolls it back first. Throws BUSY, QUEUE_DAMAGED, …
 */
export async function read<T>(queue: Queue, work: (connection: Connection) => T): Promise<T> {
  if (queue.locking === 'lease') return await readUnderLease(queue, work);
  return await withLockWait((wait) => readWithLocks(queue, work, wait));
}

async function readWithLocks<T>(queue: Queue, work: (connection: Connection) => T, wait: LockWait): Promise<T> {
  const { clock } = queue;
  const deadlineMs = clock.monotonicMs() + queue.lockTimeoutMs;
  for (;;) {
    const wasOpen = queue.isOpen;
    queue.forgetFiles();
    try {
      return step(`reading ${queue.database}`, () => readOnce(queue, work));
    } catch (error) {
      const code = errorCode(error) ?? '';
      if (wasOpen && mayBeReplaced(code)) continue;
      if (needsWriter(code)) await rollBackJournal(queue, error);
      else if (!isPassing(code)) throw storeError(error, queue.database);
      if (clock.monotonicMs() >= deadlineMs) throw busy(queue, error);
      wait.say(waitReason(queue.database, error));
    }
    await clock.sleep(RETRY_MS);
  }
}

async function readUnderLease<T>(queue: Queue, work: (connection: Connection) => T): Promise<T> {
  const { clock } = queue;
  const deadlineMs = clock.monotonicMs() + queue.lockTimeoutMs;
  for (;;) {
    const found = await underLease(queue, (lease) => readOwned(queue, work, lease));
    if (found !== undefined) return found.result;
    if (clock.monotonicMs() >= deadlineMs) throw busy(queue, new RqError('BUSY', 'the lease was lost each time'));
  }
}

/** Undefined if the lease was lost meanwhile, so that another may have been writing. */
function readOwned<T>(queue: Queue, work: (connection: Connection) => T, lease: Lease): { result: T } | undefined {
  // To open the database rolls back what a writer left, which must not be one that lives.
  if (!lease.isOwned()) return undefined;
  try {
    // Where locks are worth nothing, nothing that this host believes of the database is, either.
    queue.close();
    queue.connect('write');
    const result = step(`reading ${queue.database}`, () => readOnce(queue, work));
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
    if (connection.version() < SCHEMA_VERSION) throw Object.assign(new Error('older schema'), { code: 'OLDER_SCHEMA' });
    const result = work(connection);
    connection.execute('COMMIT');
    isRead = true;
    return result;
  } finally {
    if (!isRead) queue.close();
  }
}

/** A journal to roll back, or a schema to bring up to date: both are a writer's. */
function needsWriter(code: string): boolean {
  return code === 'SQLITE_READONLY_ROLLBACK' || code === 'SQLITE_READONLY_RECOVERY' || code === 'OLDER_SCHEMA';
}

async function rollBackJournal(queue: Queue, cause: unknown): Promise<void> {
  try {
    await settleQueue(queue);
  } catch (error) {
    if (!(error instanceof RqError) || error.code !== 'NOT_ALLOWED') throw error;
    throw new RqError(
      'NOT_ALLOWED',
      `cannot read ${queue.database}: a writer died and left a journal, and you may not write to roll it back; ask the queue's owner to run: rq ${queue.directory} list`,
      { cause },
    );
  }
}

function isPassing(code: string): boolean {
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_IOERR') || code === 'ESTALE' || code === 'EIO';
}

function busy(queue: Queue, cause: unknown): unknown {
  if (!/^(?:SQLITE_)?BUSY/.test(errorCode(cause) ?? '')) return storeError(cause, queue.database);
  return new RqError(
    'BUSY',
    `cannot read ${queue.directory} within ${(queue.lockTimeoutMs / 1000).toFixed(0)} s: another process is writing; try again, or wait longer with --lock-timeout`,
    { cause },
  );
}

import { randomUUID } from 'node:crypto';
import { closeSync, openSync, rmSync } from 'node:fs';
import { errorCode, RqError } from '../job/errors.ts';
import { hostName } from '../job/host.ts';
import type { Lease } from '../lease/lease.ts';
import { Connection, mayBeReplaced, storeError } from '../store/connection.ts';
import { readFence, writeFence } from '../store/operations.ts';
import type { Queue } from './open.ts';
import { copyOpenFile, replaceDatabase, sweepTemporary, temporaryDatabase } from './replace-database.ts';
import { syncPath } from './sync.ts';
import { underLease } from './under-lease.ts';

const QUICK_CHECK = 'PRAGMA quick_check(1)';

export interface BrokenLocks {
  readonly database: string;
  /** A transaction that a dead writer left was rolled back. */
  readonly journal: 'none' | 'rolled back';
  /** Whether a quick check found the database whole. */
  readonly isWhole: boolean;
}

/**
 * Gives the database a new inode, which nobody has locked. It takes no lock, since a dead host may have them all: only
 * the lease keeps live writers out. Throws BUSY, QUEUE_DAMAGED, NOT_ALLOWED, NO_SPACE or IO.
 */
export async function breakLocks(queue: Queue): Promise<BrokenLocks> {
  let above = 0;
  for (;;) {
    const outcome = await underLease(queue, (lease) => tryOnce(queue, lease), { above });
    if (typeof outcome !== 'number') return outcome;
    above = outcome;
  }
}

function tryOnce(queue: Queue, lease: Lease): BrokenLocks | number {
  sweepTemporary(queue.directory);
  queue.close();
  const temporary = temporaryDatabase(queue.directory);
  const journal = `${queue.database}-journal`;
  const descriptor = openSync(queue.database, 'r+');
  try {
    copyOpenFile(descriptor, temporary, lease);
    const hasJournal = copyJournal(journal, `${temporary}-journal`, lease);
    const isWhole = rollBack(queue, temporary, lease, hasJournal);
    if (typeof isWhole === 'number') return isWhole;
    replaceDatabase(queue, descriptor, temporary, lease);
    // Not before: without it the old file is not whole. Killed in between, it is rolled back into the new one, which
    // changes nothing, since it holds the very pages that were put there from its copy.
    if (hasJournal) rmSync(journal, { force: true });
    syncPath(queue.directory);
    return { database: queue.database, journal: hasJournal ? 'rolled back' : 'none', isWhole };
  } catch (error) {
    throw storeError(error, queue.database);
  } finally {
    closeSync(descriptor);
    for (const path of [temporary, `${temporary}-journal`]) rmSync(path, { force: true });
  }
}

function copyJournal(journal: string, target: string, lease: Lease): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(journal, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  try {
    copyOpenFile(descriptor, target, lease);
    return true;
  } finally {
    closeSync(descriptor);
  }
}

/** Has SQLite roll the copy back and puts the fence into it; gives a generation that the lease's must be above, or whether the copy is whole. */
function rollBack(queue: Queue, path: string, lease: Lease, hasJournal: boolean): boolean | number {
  const connection = Connection.open(path, { busyMs: 0 });
  try {
    connection.execute('BEGIN IMMEDIATE');
    connection.version();
    const fence = readFence(connection);
    if (fence >= lease.generation) return fence;
    const operation = `${hostName()}/${process.pid}/${randomUUID()}`;
    writeFence(connection, { fence, generation: lease.generation, operation, now: queue.clock.now() });
    connection.execute('COMMIT');
    lease.refresh();
    return connection.get(QUICK_CHECK)?.['quick_check'] === 'ok';
  } catch (error) {
    const isDamage = mayBeReplaced(errorCode(error) ?? '') || (error instanceof RqError && error.code === 'QUEUE_DAMAGED');
    if (!isDamage) throw error;
    if (!hasJournal) return false;
    throw new RqError(
      'QUEUE_DAMAGED',
      `cannot break the locks of ${queue.database}: it is damaged, and the journal beside it cannot be rolled back; nothing is changed`,
      { cause: error },
    );
  } finally {
    connection.close();
  }
}

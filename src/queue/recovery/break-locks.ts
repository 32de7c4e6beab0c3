import { closeSync, openSync, rmSync } from 'node:fs';
import { errorCode, RqError } from '../../job/errors.ts';
import type { Lease } from '../../lease/lease.ts';
import { Connection, mayBeReplaced, storeError } from '../../store/connection.ts';
import { checkQuickly } from '../../store/recovery/integrity.ts';
import { syncFile } from '../files/sync-file.ts';
import type { Queue } from '../open.ts';
import { underLease } from '../transaction/under-lease.ts';
import { copyOpenFile, openDatabase, replaceDatabase, sweepTemporary, temporaryDatabase } from './replace-database.ts';

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
  return await underLease(queue, (lease) => breakUnder(lease, queue));
}

function breakUnder(lease: Lease, queue: Queue): BrokenLocks {
  sweepTemporary(queue.directory);
  queue.close();
  const temporary = temporaryDatabase(queue.directory);
  const journal = `${queue.database}-journal`;
  const descriptor = openDatabase(queue);
  try {
    copyOpenFile(descriptor, temporary, lease);
    const hasJournal = copyJournal(journal, `${temporary}-journal`, lease);
    const isWhole = rollBack(queue, temporary, hasJournal);
    lease.refresh();
    replaceDatabase(queue, descriptor, temporary, lease);
    // Not before: without it the old file is not whole. Killed in between, it is rolled back into the new file too,
    // which is the same as it was before: nothing else was written to it.
    if (hasJournal) rmSync(journal, { force: true });
    syncFile(queue.directory);
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

/** Has SQLite roll the copy back, and writes nothing else to it; gives whether it is whole. */
function rollBack(queue: Queue, path: string, hasJournal: boolean): boolean {
  let connection: Connection | undefined;
  try {
    connection = Connection.open(path, { busyMs: 0 });
    connection.version();
    return checkQuickly(connection) === undefined;
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (!mayBeReplaced(code) && code !== 'QUEUE_DAMAGED') throw error;
    if (!hasJournal) return false;
    throw new RqError(
      'QUEUE_DAMAGED',
      `cannot break the locks of ${queue.database}: it is damaged, and the journal beside it cannot be rolled back; nothing is changed`,
      { cause: error },
    );
  } finally {
    connection?.close();
  }
}

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
  /** Whether the transaction of a dead writer was rolled back. */
  readonly journal: 'none' | 'rolled back';
  /** A quick check found no damage. */
  readonly isWhole: boolean;
}

/**
 * Replaces the database with a copy, whose inode no process has locked. Takes no lock, because a dead host may hold
 * them all. Only the lease excludes live writers. Throws BUSY, QUEUE_DAMAGED, NOT_ALLOWED, NO_SPACE or IO.
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
    // The old file is not complete without its journal, so the journal is removed after the rename. If rq is killed in
    // between, SQLite rolls the journal back into the new file, which restores the same pages.
    if (hasJournal) {
      rmSync(journal, { force: true });
      syncFile(queue.directory);
    }
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

/** Has SQLite roll back the journal of the copy. Returns whether a quick check finds no damage. */
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
      `cannot break the locks of ${queue.database}: the database is damaged, and SQLite cannot roll back its journal; nothing was changed; restore a backup`,
      { cause: error },
    );
  } finally {
    connection?.close();
  }
}

import { closeSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../../job/errors.ts';
import type { Lease } from '../../lease/lease.ts';
import { type Connection, storeError } from '../../store/connection.ts';
import { journalModeOf } from '../../store/file-header.ts';
import { findDamage } from '../../store/recovery/integrity.ts';
import { countJobs } from '../../store/submissions.ts';
import { JOB_FOLDERS } from '../files/stored-names.ts';
import { addFolders } from '../layout.ts';
import type { Queue } from '../open.ts';
import { underLease } from '../transaction/under-lease.ts';
import { isHotJournal } from './hot-journal.ts';
import { lockDatabase } from './lock-database.ts';
import type { OnProgress, Recovery } from './recovery.ts';
import { keepCopy, keptPath, openDatabase, sweepTemporary } from './replace-database.ts';
import { saveRows } from './save-rows.ts';

/**
 * Checks the database of a queue, and copies the rows that can be read into a new database if it is damaged. Throws
 * QUEUE_DAMAGED if no row can be read, BUSY, NOT_ALLOWED, NO_SPACE or IO; then nothing is changed.
 */
export async function recoverQueue(queue: Queue, onProgress: OnProgress): Promise<Recovery> {
  let above = 0;
  for (;;) {
    const result = await underLease(queue, (lease) => recoverOnce(queue, lease, onProgress), { above });
    if ('damage' in result) return result;
    above = result.fence;
  }
}

/** Returns the fence of the database, without a change, if the lease needs a generation above it. */
async function recoverOnce(
  queue: Queue,
  lease: Lease,
  onProgress: OnProgress,
): Promise<Recovery | { readonly fence: number }> {
  sweepTemporary(queue.directory);
  queue.close();
  const descriptor = openDatabase(queue);
  let connection: Connection | undefined;
  try {
    const journal = `${queue.database}-journal`;
    const journalMode = journalModeOf(descriptor);
    if (journalMode === 'wal') throw usesWal(queue);
    if (journalMode === 'rollback' || isHotJournal(journal)) connection = await lockDatabase(queue, lease);
    if (isHotJournal(journal)) throw journalStays(journal);
    onProgress(`checking ${queue.database}`);
    const damage = connection === undefined ? 'other' : findDamage(connection, () => lease.refresh());
    if (connection !== undefined && damage === 'none') {
      return { database: queue.database, damage, saved: countJobs(connection), lost: [], doubtful: [], kept: null };
    }
    const copy = keptPath(queue, 'damaged');
    keepCopy(queue, descriptor, copy, lease);
    // The new database has the schema of this rq.
    addFolders(queue);
    onProgress('copying the rows into a new database');
    return await saveRows(queue, descriptor, lease, {
      copy,
      areIndexesDamaged: damage === 'indexes',
      jidsOfFiles: jidsOfFiles(queue.directory),
      onProgress,
    });
  } catch (error) {
    throw storeError(error, queue.database);
  } finally {
    connection?.close();
    // After SQLite's close: closing any descriptor of the file drops the locks of this process.
    closeSync(descriptor);
  }
}

function usesWal({ database }: Queue): RqError {
  return new RqError(
    'QUEUE_DAMAGED',
    `cannot recover ${database}: the journal mode is WAL, which hosts cannot share; stop all feeders, and then run: sqlite3 ${database} 'PRAGMA journal_mode = DELETE'`,
  );
}

/** SQLite would roll the journal back into any file that replaces the database. */
function journalStays(journal: string): RqError {
  return new RqError(
    'QUEUE_DAMAGED',
    `cannot recover: SQLite cannot roll back ${journal}; nothing was changed; restore a backup, or move the database and the journal to another directory`,
  );
}

/** The jids that are names of files in the queue. */
function jidsOfFiles(directory: string): Set<number> {
  const folders = JOB_FOLDERS.map((folder) => join(directory, folder));
  const names = folders.filter((path) => existsSync(path)).flatMap((path) => readdirSync(path));
  return new Set(names.filter((name) => /^[1-9]\d{0,11}$/.test(name)).map(Number));
}

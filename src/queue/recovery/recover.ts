import { closeSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';
import type { Lease } from '../../lease/lease.ts';
import { type Connection, storeError } from '../../store/connection.ts';
import { journalModeOf } from '../../store/file-header.ts';
import { findDamage, integrityMessages } from '../../store/recovery/integrity.ts';
import { countJobs } from '../../store/submissions.ts';
import type { Queue } from '../open.ts';
import { transaction } from '../transaction/transaction.ts';
import { underLease } from '../transaction/under-lease.ts';
import { isHotJournal } from './hot-journal.ts';
import { lockDatabase } from './lock-database.ts';
import type { OnProgress, Outcome, Recovery } from './recovery.ts';
import { keepCopy, openDatabase, sweepTemporary } from './replace-database.ts';
import { saveRows } from './save-rows.ts';

/**
 * Checks the database of a queue and repairs it, or copies the rows that can be read into a new database. Throws
 * QUEUE_DAMAGED if no row can be read, BUSY, NOT_ALLOWED, NO_SPACE or IO; then nothing is changed.
 */
export async function recoverQueue(queue: Queue, onProgress: OnProgress): Promise<Recovery> {
  let above = 0;
  let kept: string | undefined;
  for (;;) {
    const outcome = await underLease(queue, (lease) => tryOnce(queue, lease, { kept, onProgress }), { above });
    if (outcome.kind === 'fenced') above = outcome.above;
    else if (outcome.kind === 'done') return outcome.recovery;
    else {
      kept = outcome.kept;
      onProgress('rebuilding the indexes, which lack entries');
      await rebuildIndexes(queue);
    }
  }
}

interface Try {
  /** The copy of the damaged file, if the indexes have been rebuilt since. */
  readonly kept: string | undefined;
  readonly onProgress: OnProgress;
}

async function tryOnce(queue: Queue, lease: Lease, { kept, onProgress }: Try): Promise<Outcome> {
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
    const damage = connection === undefined ? undefined : findDamage(connection, () => lease.refresh());
    if (connection !== undefined && damage?.kind === 'none') return whole(queue, connection, kept);
    const copy = keepCopy(queue, descriptor, lease);
    if (damage?.kind === 'indexes' && kept === undefined) return { kind: 'indexes', kept: copy };
    onProgress('copying the rows into a new database');
    return await saveRows(queue, descriptor, lease, {
      copy,
      areIndexesDamaged: damage?.areIndexesDamaged === true,
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

function whole(queue: Queue, connection: Connection, kept: string | undefined): Outcome {
  const damage = kept === undefined ? 'none' : 'indexes';
  const saved = countJobs(connection);
  const recovery = { database: queue.database, damage, saved, lost: [], doubtful: [], kept: kept ?? null } as const;
  return { kind: 'done', recovery };
}

function usesWal({ database }: Queue): RqError {
  return new RqError(
    'QUEUE_DAMAGED',
    `cannot recover ${database}: its journal mode is WAL, which hosts cannot share; stop all feeders, then run: sqlite3 ${database} 'PRAGMA journal_mode = DELETE'`,
  );
}

/** SQLite would roll the journal back into any file that replaces the database. */
function journalStays(journal: string): RqError {
  return new RqError(
    'QUEUE_DAMAGED',
    `cannot recover: SQLite cannot roll back ${journal}; nothing was changed; restore a backup, or move the database and the journal away`,
  );
}

/** If this fails or is not enough, the next try copies the rows. */
async function rebuildIndexes(queue: Queue): Promise<void> {
  try {
    await transaction(queue, (run) => {
      run.connection.execute('REINDEX');
      run.refresh();
      const [fault] = integrityMessages(run.connection);
      if (fault !== undefined) throw new RqError('QUEUE_DAMAGED', `REINDEX was not enough: ${fault}`);
    });
  } catch (error) {
    if (!(error instanceof RqError) || error.code !== 'QUEUE_DAMAGED') throw error;
  }
}

/** The jids that are names of files in the queue. */
function jidsOfFiles(directory: string): Set<number> {
  const names = ['stdin', 'stdout', 'stderr', 'data'].flatMap((folder) => readNames(join(directory, folder)));
  return new Set(names.filter((name) => /^[1-9]\d{0,11}$/.test(name)).map(Number));
}

function readNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return [];
  }
}

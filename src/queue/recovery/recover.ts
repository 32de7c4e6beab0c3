import { closeSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';
import type { Lease } from '../../lease/lease.ts';
import { type Connection, storeError } from '../../store/connection.ts';
import { PageFile } from '../../store/recovery/page-file.ts';
import { countJobs } from '../../store/submissions.ts';
import type { Queue } from '../open.ts';
import { transaction } from '../transaction/transaction.ts';
import { underLease } from '../transaction/under-lease.ts';
import { checkMessages, examine } from './examine.ts';
import { isHotJournal } from './hot-journal.ts';
import { lockDatabase } from './lock-database.ts';
import type { Outcome, Recovery, Say } from './recovery.ts';
import { keepCopy, openDatabase, sweepTemporary } from './replace-database.ts';
import { saveRows } from './save-rows.ts';

/**
 * Checks a queue's database and repairs it, or saves what can be believed of it into a new one. Throws QUEUE_DAMAGED
 * where nothing can be, and then nothing is changed; BUSY, NOT_ALLOWED, NO_SPACE or IO.
 */
export async function recoverQueue(queue: Queue, say: Say): Promise<Recovery> {
  let above = 0;
  let kept: string | undefined;
  for (;;) {
    const outcome = await underLease(queue, (lease) => tryOnce(queue, lease, { kept, say }), { above });
    if (outcome.kind === 'fenced') above = outcome.above;
    else if (outcome.kind === 'done') return outcome.recovery;
    else {
      kept = outcome.kept;
      say('the indexes lack entries; they are made anew');
      await rebuildIndexes(queue);
    }
  }
}

/** `kept`: the indexes have been made anew, after the file was copied there. */
interface Try {
  readonly kept: string | undefined;
  readonly say: Say;
}

async function tryOnce(queue: Queue, lease: Lease, { kept, say }: Try): Promise<Outcome> {
  sweepTemporary(queue.directory);
  queue.close();
  const descriptor = openDatabase(queue);
  let connection: Connection | undefined;
  try {
    const journal = `${queue.database}-journal`;
    if (new PageFile(descriptor).hasRollbackJournal || isHotJournal(journal))
      connection = await lockDatabase(queue, lease);
    if (isHotJournal(journal)) throw journalStays(journal);
    say(`checking ${queue.database}`);
    const refresh = (): void => lease.refresh();
    const damage = connection === undefined ? 'unknown' : examine(connection, new PageFile(descriptor), refresh);
    if (connection !== undefined && damage === 'none') return whole(queue, connection, kept);
    const copy = keepCopy(queue, descriptor, lease);
    if (damage === 'indexes' && kept === undefined) return { kind: 'indexes', kept: copy };
    say('saving the rows into a new database');
    return saveRows(queue, descriptor, lease, { copy, say, jids: jidsOfFiles(queue.directory) });
  } catch (error) {
    throw storeError(error, queue.database);
  } finally {
    connection?.close();
    // Not before: it drops the connection's locks.
    closeSync(descriptor);
  }
}

function whole(queue: Queue, connection: Connection, kept: string | undefined): Outcome {
  const damage = kept === undefined ? 'none' : 'indexes';
  const saved = countJobs(connection);
  const recovery = { database: queue.database, damage, saved, lost: [], doubtful: [], kept: kept ?? null } as const;
  return { kind: 'done', recovery };
}

/** It would be rolled back into whatever is put in the database's place. */
function journalStays(journal: string): RqError {
  return new RqError(
    'QUEUE_DAMAGED',
    `cannot recover: SQLite cannot roll back ${journal}; nothing is changed; restore a backup, or move both files away`,
  );
}

/** If that fails, or is not enough, the rows are saved in the next try. */
async function rebuildIndexes(queue: Queue): Promise<void> {
  try {
    await transaction(queue, (run) => {
      run.connection.execute('REINDEX');
      run.refresh();
      if (checkMessages(run.connection).length > 0) throw new RqError('QUEUE_DAMAGED', 'the indexes are not all');
    });
  } catch (error) {
    if (!(error instanceof RqError) || error.code !== 'QUEUE_DAMAGED') throw error;
  }
}

/** The jids that names in the queue's directories have, of jobs that have or had files. */
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

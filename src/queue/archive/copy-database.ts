import { rmSync } from 'node:fs';
import { errorCode, RqError } from '../../job/errors.ts';
import { Connection, storeError } from '../../store/connection.ts';
import { renewIdentity } from '../../store/identity.ts';
import { checkIntegrity } from '../../store/recovery/integrity.ts';
import { syncFile } from '../files/sync-file.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { read } from '../transaction/read.ts';
import { isLocked } from '../transaction/transient.ts';
import { holdLease } from '../transaction/under-lease.ts';

/** About 40 MB, which take as long to copy as a transaction may take. */
const STEP_PAGES = 10_000;
const ALL_PAGES = 2 ** 30;

/**
 * Copies the database of a live queue into a new file: one consistent state, checked for integrity and synced. Locks the
 * database while it copies a step of 40 MB. If other processes write between the steps, the copy starts over with
 * larger steps. Throws QUEUE_DAMAGED, BUSY, NO_SPACE or IO, and then leaves no file.
 */
export async function copyDatabase(queue: Queue, target: string, progress?: Progress): Promise<void> {
  // Rolls back the journal of a dead writer.
  await read(queue, () => undefined);
  try {
    if (queue.locking === 'posix') await copyPages(queue, target, STEP_PAGES, progress);
    else await holdLease(queue, () => copyPages(queue, target, ALL_PAGES, progress));
    checkCopy(queue, target);
    makeDistinct(target, queue.clock.now());
    syncFile(target);
  } catch (error) {
    for (const path of [target, `${target}-journal`]) rmSync(path, { force: true });
    throw copyError(error, queue, target);
  }
}

async function copyPages(queue: Queue, target: string, firstStep: number, progress?: Progress): Promise<void> {
  let step = firstStep;
  let previous = Number.POSITIVE_INFINITY;
  const connection = Connection.open(queue.database, { readOnly: true, busyMs: queue.lockTimeoutMs });
  try {
    await connection.copyTo(target, ({ total, remaining }) => {
      // SQLite started over, because another process wrote.
      if (remaining > previous) step *= 4;
      previous = remaining;
      progress?.(total - remaining, total);
      return Math.min(step, ALL_PAGES);
    });
  } finally {
    connection.close();
  }
}

function checkCopy(queue: Queue, target: string): void {
  const copy = Connection.open(target, { readOnly: true, busyMs: 0 });
  try {
    copy.version();
    const fault = checkIntegrity(copy);
    if (fault === undefined) return;
    const { database, directory } = queue;
    throw new RqError('QUEUE_DAMAGED', `${database} is damaged (${fault}); repair it with: rq ${directory} recover`);
  } finally {
    copy.close();
  }
}

/** Gives the copy an id of its own. */
function makeDistinct(target: string, now: string): void {
  const copy = Connection.open(target, { busyMs: 0 });
  try {
    copy.execute('BEGIN IMMEDIATE');
    renewIdentity(copy, { inode: undefined, copied: now });
    copy.execute('COMMIT');
  } finally {
    copy.close();
  }
}

function copyError(error: unknown, queue: Queue, target: string): unknown {
  if (!isLocked(errorCode(error) ?? '')) return storeError(error, target);
  return new RqError('BUSY', `cannot copy ${queue.database}: another process has locked the database; try again`, {
    cause: error,
  });
}

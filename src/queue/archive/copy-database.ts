import { rmSync } from 'node:fs';
import { errorCode, RqError } from '../../job/errors.ts';
import { Connection, storeError } from '../../store/connection.ts';
import { checkIntegrity } from '../../store/recovery/integrity.ts';
import { syncFile } from '../files/sync-file.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { read } from '../transaction/read.ts';
import { holdLease } from '../transaction/under-lease.ts';

/** Some 40 MB: to copy them takes as long as a transaction may. */
const STEP_PAGES = 10_000;
const WHOLE = 2 ** 30;

/**
 * Copies the database of a live queue into a new file: one consistent state of it, integrity-checked and synced. Takes
 * a lock for as long as pages are read, 40 MB at a time; a larger database that does not hold still in between is
 * copied in ever larger steps. Throws QUEUE_DAMAGED, NO_SPACE, IO; leaves no file behind then.
 */
export async function copyDatabase(queue: Queue, target: string, progress?: Progress): Promise<void> {
  // Whatever a dead writer left is rolled back first.
  await read(queue, () => undefined);
  try {
    if (queue.locking === 'posix') await copyPages(queue, target, STEP_PAGES, progress);
    else await holdLease(queue, () => copyPages(queue, target, WHOLE, progress));
    checkCopy(queue, target);
    syncFile(target);
  } catch (error) {
    for (const path of [target, `${target}-journal`]) rmSync(path, { force: true });
    throw copyFault(error, queue, target);
  }
}

async function copyPages(queue: Queue, target: string, firstStep: number, progress?: Progress): Promise<void> {
  let step = firstStep;
  let previous = Number.POSITIVE_INFINITY;
  const connection = Connection.open(queue.database, { readOnly: true, busyMs: queue.lockTimeoutMs });
  try {
    await connection.copyTo(target, ({ total, remaining }) => {
      // It began anew: somebody wrote.
      if (remaining > previous) step *= 4;
      previous = remaining;
      progress?.(total - remaining, total);
      return Math.min(step, WHOLE);
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

function copyFault(error: unknown, queue: Queue, target: string): unknown {
  if (errorCode(error)?.startsWith('SQLITE_BUSY') !== true) return storeError(error, target);
  return new RqError('BUSY', `cannot copy ${queue.database}: another process has locked it; try again`, {
    cause: error,
  });
}

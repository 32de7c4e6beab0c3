import { chmodSync, chownSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { runProgram } from '../../job/run-program.ts';
import { Connection } from '../../store/connection.ts';
import { allJobFiles } from '../../store/file-owners.ts';
import { readFence } from '../../store/operations.ts';
import { copyTree } from '../files/copy-tree.ts';
import { createAtomically } from '../files/create-atomically.ts';
import { giveToOwner } from '../files/give-to-owner.ts';
import { listJobFiles, namesOfJob } from '../files/stored-names.ts';
import { createLayout } from '../layout.ts';
import { LEASE_LOCKING_MARK, type Queue, READ_ONLY_MARK } from '../open.ts';
import type { Progress } from '../progress.ts';
import { copyDatabase } from './copy-database.ts';

const OWNER_WRITES = 0o700;
const MARKS: readonly string[] = [LEASE_LOCKING_MARK, READ_ONLY_MARK];
const AT_ONCE = 8;

interface BackupCounts {
  readonly jobs: number;
  readonly files: number;
}

export interface Backup extends BackupCounts {
  readonly path: string;
}

/**
 * Copies a live queue with its files, so that the copy can replace it. The database is a consistent state; each file of
 * its jobs is in the state in which it was copied. The files of a job that is deleted meanwhile may be missing.
 */
export async function backUpQueue(queue: Queue, target: string, progress?: Progress): Promise<Backup> {
  let counts: BackupCounts = { jobs: 0, files: 0 };
  const path = await createAtomically(target, `back up ${queue.directory} to`, async (directory) => {
    // First, because new files inherit the group of the directory. The owner can write until the copy is complete.
    copyAccess(queue.directory, directory, OWNER_WRITES);
    await copyDatabase(queue, join(directory, 'db'));
    counts = await copyContents(queue.directory, directory, progress);
    giveToOwner(queue, directory);
    // One sync of the file system is faster than one of each file.
    await runProgram('sync', ['-f', directory]);
  });
  return { path, ...counts };
}

/** Completes a copy that has the database. */
async function copyContents(from: string, to: string, progress?: Progress): Promise<BackupCounts> {
  const database = Connection.open(join(to, 'db'), { readOnly: true, busyMs: 0 });
  try {
    // Shows the columns that an older schema lacks.
    database.version();
    createLayout(to, readFence(database));
    for (const mark of readdirSync(from).filter((name) => MARKS.includes(name))) writeFileSync(join(to, mark), '');
    const entries = readdirSync(to);
    for (const name of entries) copyAccess(join(from, name), join(to, name), OWNER_WRITES);
    const counts = await copyFiles(from, to, database, progress);
    for (const name of [...entries, '']) copyAccess(join(from, name), join(to, name));
    return counts;
  } finally {
    database.close();
  }
}

/** Gives a copy the mode of its original, and the group as far as this user may. */
function copyAccess(original: string, copy: string, added = 0): void {
  const stats = statSync(original, { throwIfNoEntry: false });
  if (stats === undefined) return;
  const { mode, gid } = stats;
  try {
    chownSync(copy, -1, gid);
  } catch (error) {
    // The user is not in that group, or the container does not have it.
    if (!['EPERM', 'EINVAL'].includes(errorCode(error) ?? '')) throw error;
  }
  chmodSync(copy, (mode & 0o7777) | added);
}

/** Copies `bin` and the files that the copied database names. */
async function copyFiles(from: string, to: string, database: Connection, progress?: Progress): Promise<BackupCounts> {
  const present = listJobFiles(from);
  let batch = readdirSync(join(from, 'bin')).map((name) => join('bin', name));
  const total = present.size + batch.length;
  let jobs = 0;
  let files = 0;
  const copyBatch = async (): Promise<void> => {
    const copies = batch.map((name) => copyTree(join(from, name), join(to, name), { within: from, isLive: true }));
    files += (await Promise.all(copies)).filter((isCopied) => isCopied).length;
    batch = [];
    progress?.(files, total);
  };
  for (const job of allJobFiles(database)) {
    jobs += 1;
    // Each file once, even if two rows name it.
    batch.push(...namesOfJob(job).filter((name) => present.delete(name)));
    if (batch.length >= AT_ONCE) await copyBatch();
  }
  await copyBatch();
  return { jobs, files };
}

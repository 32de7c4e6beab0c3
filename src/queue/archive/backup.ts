import { chmodSync, chownSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { errorCode } from '../../job/errors.ts';
import { Connection } from '../../store/connection.ts';
import { readFence } from '../../store/operations.ts';
import { jidsOf } from '../../store/selections.ts';
import { copyTree } from '../files/copy-tree.ts';
import { layOut } from '../layout.ts';
import { LEASE_LOCKING_MARK, type Queue, READ_ONLY_MARK } from '../open.ts';
import type { Progress } from '../progress.ts';
import { copyDatabase } from './copy-database.ts';
import { makeWhole } from './copy-place.ts';

const JOB_FOLDERS = ['stdin', 'data', 'stdout', 'stderr'] as const;
const OWNER_WRITES = 0o700;
const MARKS: readonly string[] = [LEASE_LOCKING_MARK, READ_ONLY_MARK];
const AT_ONCE = 8;

export interface Backup {
  readonly path: string;
  readonly jobs: number;
  readonly files: number;
}

/**
 * Copies a live queue, files too, so that the copy can take its place. The database is of one moment; files are those
 * of its jobs, as they were when each was copied: a job that was deleted meanwhile has none.
 */
export async function backUpQueue(queue: Queue, target: string, progress?: Progress): Promise<Backup> {
  let jobs = 0;
  let files = 0;
  const path = await makeWhole(target, `back up ${queue.directory}`, async (directory) => {
    const database = join(directory, 'db');
    // First: what is made in it gets its group. To write it, this user needs more than to read the original.
    likenTo(queue.directory, directory, OWNER_WRITES);
    await copyDatabase(queue, database);
    const { jids, fence } = contentsOf(database);
    layOut(directory, fence);
    for (const mark of readdirSync(queue.directory).filter((name) => MARKS.includes(name))) {
      writeFileSync(join(directory, mark), '');
    }
    const names = readdirSync(directory);
    for (const name of names) likenTo(join(queue.directory, name), join(directory, name), OWNER_WRITES);
    jobs = jids.size;
    files = await copyFiles(queue.directory, directory, jids, progress);
    for (const name of [...names, '']) likenTo(join(queue.directory, name), join(directory, name));
    // All of its files at once; fsync for each would take one sync a file.
    await execa('sync', ['-f', directory]);
  });
  return { path, jobs, files };
}

/** Gives a copy the mode of what it is of, and its group where this user may: a queue of a group is to be one again. */
function likenTo(original: string, copy: string, more = 0): void {
  const stats = statSync(original, { throwIfNoEntry: false });
  if (stats === undefined) return;
  const { mode, gid } = stats;
  try {
    chownSync(copy, -1, gid);
  } catch (error) {
    // A group that is not his, or that a container does not know.
    if (!['EPERM', 'EINVAL'].includes(errorCode(error) ?? '')) throw error;
  }
  chmodSync(copy, (mode & 0o7777) | more);
}

function contentsOf(database: string): { jids: Set<number>; fence: number } {
  const connection = Connection.open(database, { readOnly: true, busyMs: 0 });
  try {
    return { jids: new Set(jidsOf(connection)), fence: readFence(connection) };
  } finally {
    connection.close();
  }
}

async function copyFiles(from: string, to: string, jids: ReadonlySet<number>, progress?: Progress): Promise<number> {
  const ofJobs = JOB_FOLDERS.flatMap((folder) =>
    readdirSync(join(from, folder))
      .filter((name) => jids.has(Number.parseInt(name, 10)))
      .map((name) => join(folder, name)),
  );
  const names = [...ofJobs, ...readdirSync(join(from, 'bin')).map((name) => join('bin', name))];
  let copied = 0;
  for (let index = 0; index < names.length; index += AT_ONCE) {
    const some = names.slice(index, index + AT_ONCE);
    const done = await Promise.all(
      some.map((name) => copyTree(join(from, name), join(to, name), { within: from, isLive: true })),
    );
    // Not what was deleted meanwhile.
    copied += done.filter((isCopied) => isCopied).length;
    progress?.(index + some.length, names.length);
  }
  return copied;
}

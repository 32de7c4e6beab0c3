import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';
import { runProgram } from '../../job/run-program.ts';
import { Connection, type Row } from '../../store/connection.ts';
import { deleteRows } from '../../store/deletions.ts';
import { allJobFiles } from '../../store/file-owners.ts';
import { checkIntegrity } from '../../store/recovery/integrity.ts';
import { addRows, type EndedKey, earlierAttemptRows, endedKeys, endedRows } from '../../store/rotations.ts';
import { copyTree } from '../files/copy-tree.ts';
import { tryLink } from '../files/hard-links.ts';
import { removePaths } from '../files/remove-paths.ts';
import { listJobFiles, namesOfJob } from '../files/stored-names.ts';
import { createLayout } from '../layout.ts';
import { type Queue, READ_ONLY_MARK } from '../open.ts';
import type { Progress } from '../progress.ts';
import { read } from '../transaction/read.ts';

const PAGE_JOBS = 2_000;
const TRIES = 5;
const REPORT_EVERY = 100;

/** The jobs of a rotation, and the names of their files, relative to the queue. */
export interface RotationContents {
  readonly keys: readonly EndedKey[];
  readonly files: readonly string[];
}

/** Makes a directory into a read-only queue of the jobs that ended by a time, with their files; syncs it. */
export async function fillRotation(
  queue: Queue,
  directory: string,
  until: string,
  progress?: Progress,
): Promise<RotationContents> {
  mkdirSync(directory, { mode: 0o700 });
  createLayout(directory, 0);
  writeFileSync(join(directory, READ_ONLY_MARK), `jobs of ${queue.directory}, rotated ${queue.clock.now()}\n`);
  const connection = Connection.open(join(directory, 'db'), { create: true, busyMs: 0 });
  try {
    connection.execute('BEGIN IMMEDIATE');
    connection.migrate();
    for await (const { jobs, earlier } of endedJobs(queue, until)) addRows(connection, jobs, earlier);
    connection.execute('COMMIT');
    const files = await addFiles(queue.directory, directory, connection, progress);
    return await syncRotation(directory, connection, files);
  } finally {
    connection.close();
  }
}

/** Adds the files of the jobs to a rotation. Returns their names. */
async function addFiles(from: string, to: string, connection: Connection, progress?: Progress): Promise<string[]> {
  // Listed after the jobs were read: the files of an ended job are complete.
  const present = listJobFiles(from);
  const owners = [...allJobFiles(connection)];
  const files: string[] = [];
  for (const [index, owner] of owners.entries()) {
    for (const name of namesOfJob(owner)) {
      // Each file once, even if two rows name it.
      if (present.delete(name) && (await addFile(from, to, name))) files.push(name);
    }
    if (index % REPORT_EVERY === 0) progress?.(index, owners.length);
  }
  return files;
}

/** Removes jobs from a rotation that is not committed. */
export async function withoutJobs(
  queue: Queue,
  directory: string,
  contents: RotationContents,
  jids: ReadonlySet<number>,
): Promise<RotationContents> {
  const connection = Connection.open(join(directory, 'db'), { busyMs: queue.lockTimeoutMs });
  try {
    const removed = new Set<string>();
    for (const job of allJobFiles(connection)) {
      if (jids.has(job.jid)) for (const name of namesOfJob(job)) removed.add(name);
    }
    connection.execute('BEGIN IMMEDIATE');
    deleteRows(connection, [...jids]);
    connection.execute('COMMIT');
    await removePaths([...removed].map((name) => join(directory, name)));
    const files = contents.files.filter((name) => !removed.has(name));
    return await syncRotation(directory, connection, files);
  } finally {
    connection.close();
  }
}

async function syncRotation(
  directory: string,
  connection: Connection,
  files: readonly string[],
): Promise<RotationContents> {
  const fault = checkIntegrity(connection);
  if (fault !== undefined) throw new Error(`the new rotation in ${directory} is damaged: ${fault}`);
  const keys = endedKeys(connection);
  // One sync of the file system is faster than one of each file.
  await runProgram('sync', ['-f', directory]);
  return { keys, files };
}

/** The rows of jobs that ended by a time, and of their earlier attempts. Each batch is one short read. */
async function* endedJobs(queue: Queue, until: string): AsyncGenerator<{ jobs: Row[]; earlier: Row[] }> {
  for (const state of ['finished', 'dead'] as const) {
    for (let after = 0; ; ) {
      const page = { state, after, until, limit: PAGE_JOBS };
      const batch = await read(queue, (connection) => {
        const jobs = endedRows(connection, page);
        const jids = jobs.map((row) => Number(row['jid']));
        return { jobs, earlier: earlierAttemptRows(connection, jids) };
      });
      if (batch.jobs.length === 0) break;
      yield batch;
      after = Number(batch.jobs.at(-1)?.['jid']);
    }
  }
}

/** Adds a file of a job to a rotation, as a hard link if possible. False if it does not exist. */
async function addFile(from: string, to: string, name: string): Promise<boolean> {
  if (name.startsWith('data/')) return await addData(from, to, name);
  try {
    if (tryLink(join(from, name), join(to, name))) return true;
    return await copyTree(join(from, name), join(to, name), { within: from, isLive: true });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return false;
  }
}

/** Copies data completely, because the original is removed. A process that the job left behind may still change it. */
async function addData(from: string, to: string, name: string): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      return await copyTree(join(from, name), join(to, name), { within: from, isLive: false });
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      await removePaths([join(to, name)]);
      if (tries < TRIES) continue;
      const reason =
        'a process changed the file during the copy; end the processes that the job left behind, or delete the job';
      throw new RqError('IO', `cannot rotate ${join(from, name)}: ${reason}`, { cause: error });
    }
  }
}

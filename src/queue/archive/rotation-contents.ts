import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';
import { runProgram } from '../../job/run-program.ts';
import { Connection, type Row } from '../../store/connection.ts';
import { deleteRows } from '../../store/deletions.ts';
import { allJobFiles, jobFilesAfter } from '../../store/file-owners.ts';
import { checkIntegrity } from '../../store/recovery/integrity.ts';
import { addRows, type EndedKey, earlierAttemptRows, endedKeysAfter, endedRows } from '../../store/rotations.ts';
import { copyTree } from '../files/copy-tree.ts';
import { tryLink } from '../files/hard-links.ts';
import type { RecordFile } from '../files/record-file.ts';
import { removePaths } from '../files/remove-paths.ts';
import { type FileOwner, namesOfJob } from '../files/stored-names.ts';
import { createLayout } from '../layout.ts';
import { type Queue, READ_ONLY_MARK } from '../open.ts';
import type { Progress } from '../progress.ts';
import { read } from '../transaction/read.ts';
import { createFileList, removeFromList } from './rotation-files.ts';

const PAGE_JOBS = 2_000;
const TRIES = 5;
const REPORT_EVERY = 100;

/** The jobs of a rotation. */
export type RotationKeys = RecordFile<EndedKey>;

/**
 * Makes a directory into a read-only queue of the jobs that ended by a time, with their files; syncs it, with the list of
 * the files beside it. Writes the jobs to `keys`.
 */
export async function fillRotation(
  queue: Queue,
  directory: string,
  { until, keys }: { readonly until: string; readonly keys: RotationKeys },
  progress?: Progress,
): Promise<void> {
  mkdirSync(directory, { mode: 0o700 });
  createLayout(directory, 0);
  writeFileSync(join(directory, READ_ONLY_MARK), `jobs of ${queue.directory}, rotated ${queue.clock.now()}\n`);
  const connection = Connection.open(join(directory, 'db'), { create: true, busyMs: 0 });
  try {
    connection.execute('BEGIN IMMEDIATE');
    connection.migrate();
    for await (const { jobs, earlier } of endedJobs(queue, until)) addRows(connection, jobs, earlier);
    connection.execute('COMMIT');
    writeKeys(connection, keys);
    await addFiles(queue.directory, directory, connection, (done) => progress?.(done, keys.count));
    await syncRotation(directory, connection);
  } finally {
    connection.close();
  }
}

/** Adds the files of the jobs to a rotation, and lists them. The files of an ended job are complete. */
async function addFiles(
  from: string,
  to: string,
  connection: Connection,
  report: (done: number) => void,
): Promise<void> {
  const files = createFileList(to);
  try {
    let done = 0;
    for (const owner of pagedJobFiles(connection)) {
      for (const name of namesOfJob(owner)) if (await addFile(from, to, name)) files.add(name);
      if (done % REPORT_EVERY === 0) report(done);
      done += 1;
    }
    files.flush();
  } finally {
    files.close();
  }
}

/** As `allJobFiles`, and other statements may run meanwhile. */
function* pagedJobFiles(connection: Connection): Generator<FileOwner> {
  for (let after = 0; ; ) {
    const page = jobFilesAfter(connection, after, PAGE_JOBS);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.jid;
  }
}

/** Removes jobs from a rotation that is not committed. */
export async function withoutJobs(
  queue: Queue,
  directory: string,
  keys: RotationKeys,
  jids: ReadonlySet<number>,
): Promise<void> {
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
    removeFromList(directory, removed);
    writeKeys(connection, keys);
    await syncRotation(directory, connection);
  } finally {
    connection.close();
  }
}

function writeKeys(connection: Connection, keys: RotationKeys): void {
  keys.clear();
  for (let after = 0; ; ) {
    const page = endedKeysAfter(connection, after, PAGE_JOBS);
    for (const key of page) keys.add(key);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.jid;
  }
}

async function syncRotation(directory: string, connection: Connection): Promise<void> {
  const fault = checkIntegrity(connection);
  if (fault !== undefined) throw new Error(`the new rotation in ${directory} is damaged: ${fault}`);
  // One sync of the file system is faster than one of each file.
  await runProgram('sync', ['-f', directory]);
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

/**
 * Adds a file of a job to a rotation, as a hard link if possible. False if it does not exist, or was added for another row
 * that names it.
 */
async function addFile(from: string, to: string, name: string): Promise<boolean> {
  try {
    if (name.startsWith('data/')) return await addData(from, to, name);
    if (tryLink(join(from, name), join(to, name))) return true;
    return await copyTree(join(from, name), join(to, name), { within: from, isLive: true });
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
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

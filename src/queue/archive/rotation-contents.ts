import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { errorCode, RqError } from '../../job/errors.ts';
import { Connection, type Row } from '../../store/connection.ts';
import { deleteRows } from '../../store/deletions.ts';
import { checkIntegrity } from '../../store/recovery/integrity.ts';
import { addRows, type EndedKey, earlierAttemptRows, endedKeys, endedRows, fileOwners } from '../../store/rotations.ts';
import { copyTree } from '../files/copy-tree.ts';
import { linkOrCopy } from '../files/job-files.ts';
import { removePaths } from '../files/remove-paths.ts';
import { type FileOwner, namesOfFiles, ownFilesOf } from '../files/stored-files.ts';
import { layOut } from '../layout.ts';
import { type Queue, READ_ONLY_MARK } from '../open.ts';
import type { Progress } from '../progress.ts';
import { read } from '../transaction/read.ts';

const PAGE_JOBS = 2_000;
const TRIES = 5;
const REPORT_EVERY = 100;

/** What a rotation holds: its jobs, and the names of their files, relative to the queue. */
export interface RotationContents {
  readonly keys: readonly EndedKey[];
  readonly files: readonly string[];
}

/** Fills a new directory with the jobs that ended by a time, as a queue that is only to be read; all of it synced. */
export async function fillRotation(
  queue: Queue,
  directory: string,
  until: string,
  progress?: Progress,
): Promise<RotationContents> {
  mkdirSync(directory, { mode: 0o700 });
  layOut(directory, 0);
  writeFileSync(join(directory, READ_ONLY_MARK), `jobs of ${queue.directory}, rotated ${queue.clock.now()}\n`);
  const connection = Connection.open(join(directory, 'db'), { create: true, busyMs: 0 });
  try {
    connection.execute('BEGIN IMMEDIATE');
    connection.migrate();
    for await (const { jobs, earlier } of endedJobs(queue, until)) addRows(connection, jobs, earlier);
    connection.execute('COMMIT');
    const files = await bringFiles(queue.directory, directory, fileOwners(connection), progress);
    return await completed(directory, connection, files);
  } finally {
    connection.close();
  }
}

/** Gives a rotation the files of its jobs; gives their names. */
async function bringFiles(
  from: string,
  to: string,
  owners: readonly FileOwner[],
  progress?: Progress,
): Promise<string[]> {
  // Only now: a job that ended a moment ago has its files by then.
  const present = namesOfFiles(from);
  const files: string[] = [];
  for (const [index, owner] of owners.entries()) {
    for (const name of ownFilesOf(owner)) {
      if (present.has(name) && (await bring(from, to, name))) files.push(name);
    }
    if (index % REPORT_EVERY === 0) progress?.(index, owners.length);
  }
  return files;
}

/** Takes jobs out of a rotation that is not committed. */
export async function withoutJobs(
  queue: Queue,
  directory: string,
  contents: RotationContents,
  jids: ReadonlySet<number>,
): Promise<RotationContents> {
  const connection = Connection.open(join(directory, 'db'), { busyMs: queue.lockTimeoutMs });
  try {
    connection.execute('BEGIN IMMEDIATE');
    deleteRows(connection, [...jids]);
    connection.execute('COMMIT');
    const isOut = (name: string): boolean => jids.has(Number.parseInt(name.slice(name.indexOf('/') + 1), 10));
    await removePaths(contents.files.filter(isOut).map((name) => join(directory, name)));
    return await completed(
      directory,
      connection,
      contents.files.filter((name) => !isOut(name)),
    );
  } finally {
    connection.close();
  }
}

async function completed(
  directory: string,
  connection: Connection,
  files: readonly string[],
): Promise<RotationContents> {
  const fault = checkIntegrity(connection);
  if (fault !== undefined) throw new Error(`the rotation in ${directory} is damaged as it was written: ${fault}`);
  const keys = endedKeys(connection);
  // All of its files at once; fsync for each would take one sync a file.
  await execa('sync', ['-f', directory]);
  return { keys, files };
}

/** Whole rows of jobs that ended by a time and of their earlier attempts; each batch is one short read. */
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

/** Nothing of it may be missing, for the original is removed: what a job left behind may still work in it. */
async function bringData(from: string, to: string, name: string): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      return await copyTree(join(from, name), join(to, name), { within: from, isLive: false });
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      await removePaths([join(to, name)]);
      if (tries < TRIES) continue;
      const why = 'files come and go in it while it is copied; end what the job left behind, or delete it';
      throw new RqError('IO', `cannot rotate ${join(from, name)}: ${why}`, { cause: error });
    }
  }
}

/** Gives the rotation a job's file: a second name for it, or a copy on another file system. False if it is gone. */
async function bring(from: string, to: string, name: string): Promise<boolean> {
  if (name.startsWith('data/')) return await bringData(from, to, name);
  try {
    linkOrCopy(join(from, name), join(to, name));
    return true;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return false;
  }
}

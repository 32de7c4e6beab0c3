import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../job/errors.ts';
import { findJob } from '../store/selections.ts';
import { openFresh } from './fresh-open.ts';
import type { Queue } from './open.ts';
import { read } from './read.ts';
import { storedPath } from './stored-files.ts';

type Stream = 'stdin' | 'stdout' | 'stderr';

/** Where a job's stream is or will be, as an absolute path; there is no file before the job began. Throws NO_JOB. */
export async function jobStreamPath(queue: Queue, jid: number, stream: Stream): Promise<string> {
  const { directory } = queue;
  const job = await read(queue, (connection) => findJob(connection, jid));
  if (job === undefined) throw new RqError('NO_JOB', `no job ${jid} in ${directory}: look with: rq ${directory} list`);
  return stream === 'stdin' ? storedPath(directory, 'stdin', job) : join(directory, stream, String(jid));
}

/** Those of a job's stdin, stdout and stderr that are there, as absolute paths. Throws NO_JOB. */
export async function existingStreams(queue: Queue, jid: number): Promise<string[]> {
  const stdin = await jobStreamPath(queue, jid, 'stdin');
  const outputs = ['stdout', 'stderr'].map((stream) => join(queue.directory, stream, String(jid)));
  return [stdin, ...outputs].filter(isThere);
}

function isThere(path: string): boolean {
  try {
    const file = openFresh(path);
    if (file !== undefined) closeSync(file);
    return file !== undefined;
  } catch (error) {
    if (error instanceof RqError) return false;
    throw error;
  }
}

import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../../job/errors.ts';
import { findJob } from '../../store/selections.ts';
import { openFresh } from '../files/fresh-open.ts';
import { type FileOwner, storedPath } from '../files/stored-names.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';

type Stream = 'stdin' | 'stdout' | 'stderr';

/**
 * The absolute path of a job's stream. The file of stdout or stderr exists once the job has started. Throws NO_JOB, or IO
 * for the stdin of a job that has none.
 */
export async function jobStreamPath(queue: Queue, jid: number, stream: Stream): Promise<string> {
  const path = streamPath(queue, await findOne(queue, jid), stream);
  if (path !== undefined) return path;
  throw new RqError('IO', `job ${jid} has no ${stream}: the job was submitted without --stdin`, { facts: { jid } });
}

/** The absolute paths of those of a job's stdin, stdout and stderr that exist. Throws NO_JOB. */
export async function existingStreams(queue: Queue, jid: number): Promise<string[]> {
  const job = await findOne(queue, jid);
  const paths = (['stdin', 'stdout', 'stderr'] as const).map((stream) => streamPath(queue, job, stream));
  return paths.filter((path) => path !== undefined).filter(exists);
}

async function findOne(queue: Queue, jid: number): Promise<FileOwner> {
  const job = await read(queue, (connection) => findJob(connection, jid));
  if (job !== undefined) return job;
  throw new RqError('NO_JOB', `no job ${jid} in ${queue.directory}; list the jobs with: rq ${queue.directory} list`);
}

/** Undefined for a job without stdin. */
function streamPath({ directory }: Queue, job: FileOwner, stream: Stream): string | undefined {
  if (stream !== 'stdin') return join(directory, stream, String(job.jid));
  return job.stdin === null ? undefined : storedPath(directory, 'stdin', job);
}

function exists(path: string): boolean {
  try {
    const file = openFresh(path);
    if (file !== undefined) closeSync(file);
    return file !== undefined;
  } catch (error) {
    if (error instanceof RqError) return false;
    throw error;
  }
}

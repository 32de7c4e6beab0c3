import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../job/errors.ts';
import { jobExists } from '../store/selections.ts';
import { openFresh } from './fresh-open.ts';
import type { Queue } from './open.ts';
import { read } from './read.ts';

type Stream = 'stdin' | 'stdout' | 'stderr';

/** Where a job's stream is or will be, as an absolute path; there is no file before the job began. Throws NO_JOB. */
export async function jobStreamPath(queue: Queue, jid: number, stream: Stream): Promise<string> {
  if (await read(queue, (connection) => jobExists(connection, jid))) return join(queue.directory, stream, String(jid));
  throw new RqError('NO_JOB', `no job ${jid} in ${queue.directory}: look with: rq ${queue.directory} list`);
}

/** Those of a job's stdin, stdout and stderr that are there, as absolute paths. Throws NO_JOB. */
export async function existingStreams(queue: Queue, jid: number): Promise<string[]> {
  const stdin = await jobStreamPath(queue, jid, 'stdin');
  const outputs = ['stdout', 'stderr'].map((stream) => join(queue.directory, stream, String(jid)));
  return [stdin, ...outputs].filter(isThere);
}

function isThere(path: string): boolean {
  const file = openFresh(path);
  if (file !== undefined) closeSync(file);
  return file !== undefined;
}

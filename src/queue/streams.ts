import { join } from 'node:path';
import { RqError } from '../job/errors.ts';
import { findJob } from '../store/selections.ts';
import type { Queue } from './open.ts';
import { read } from './read.ts';
import { storedPath } from './stored-files.ts';

/** Where a job's stream is or will be, as an absolute path; there is no file before the job began. Throws NO_JOB. */
export async function jobStreamPath(queue: Queue, jid: number, stream: 'stdin' | 'stdout' | 'stderr'): Promise<string> {
  const { directory } = queue;
  const job = await read(queue, (connection) => findJob(connection, jid));
  if (job === undefined) throw new RqError('NO_JOB', `no job ${jid} in ${directory}: look with: rq ${directory} list`);
  return stream === 'stdin' ? storedPath(directory, 'stdin', job) : join(directory, stream, String(jid));
}

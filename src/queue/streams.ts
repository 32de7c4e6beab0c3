import { join } from 'node:path';
import { RqError } from '../job/errors.ts';
import { jobExists } from '../store/selections.ts';
import type { Queue } from './open.ts';
import { read } from './read.ts';

/** Where a job's stream is or will be, as an absolute path; there is no file before the job began. Throws NO_JOB. */
export async function jobStreamPath(queue: Queue, jid: number, stream: 'stdin' | 'stdout' | 'stderr'): Promise<string> {
  if (await read(queue, (connection) => jobExists(connection, jid))) return join(queue.directory, stream, String(jid));
  throw new RqError('NO_JOB', `no job ${jid} in ${queue.directory}: look with: rq ${queue.directory} list`);
}

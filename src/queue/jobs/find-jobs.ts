import type { Job } from '../../job/job.ts';
import { findJob } from '../../store/selections.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';

/** The existing jobs among these jids, by jid. */
export async function findJobs(queue: Queue, jids: readonly number[]): Promise<Map<number, Job>> {
  return await read(queue, (connection) => {
    const found = [...new Set(jids)].flatMap((jid) => findJob(connection, jid) ?? []);
    return new Map(found.map((job) => [job.jid, job]));
  });
}

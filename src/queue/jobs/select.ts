import type { Job } from '../../job/job.ts';
import type { Selection } from '../../job/selection.ts';
import { selectPage } from '../../store/selections.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';

const PAGE_JOBS = 2_000;

/**
 * The selected jobs by ascending jid, in batches. Each batch is read in a short transaction of its own, so that a long
 * list delays no writer. A job is returned once, in the state that it had when its batch was read.
 */
export async function* selectJobs(queue: Queue, selection: Selection): AsyncGenerator<Job[]> {
  let after = 0;
  for (;;) {
    const jobs = await read(queue, (connection) => selectPage(connection, selection, { after, limit: PAGE_JOBS }));
    const last = jobs.at(-1);
    if (last === undefined) return;
    yield jobs;
    if (jobs.length < PAGE_JOBS) return;
    after = last.jid;
  }
}

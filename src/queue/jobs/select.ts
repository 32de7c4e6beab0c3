import type { Job } from '../../job/job.ts';
import type { Selection } from '../../job/selection.ts';
import { selectPage } from '../../store/selections.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import type { WaitsFor } from './why/waits-for.ts';

const PAGE_JOBS = 2_000;

/**
 * The selected jobs by ascending jid, in batches. Each batch is read in a short transaction of its own, so that a long
 * list delays no writer. A job is returned once, in the state that it had when its batch was read. With `waits`, pending jobs
 * have the field `waits_for`.
 */
export async function* selectJobs(queue: Queue, selection: Selection, waits?: WaitsFor): AsyncGenerator<Job[]> {
  let after = 0;
  for (;;) {
    const complete = await read(queue, (connection) => {
      const page = selectPage(connection, selection, { after, limit: PAGE_JOBS });
      return waits?.read(connection, page) ?? (() => page);
    });
    const jobs = complete();
    const last = jobs.at(-1);
    if (last === undefined) return;
    yield jobs;
    if (jobs.length < PAGE_JOBS) return;
    after = last.jid;
  }
}

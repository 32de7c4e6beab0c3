import { RqError } from '../../job/errors.ts';
import type { Selection } from '../../job/selection.ts';
import type { Connection } from '../../store/connection.ts';
import { type JobOutcome, missingJids, type Page, selectOutcomes } from '../../store/selections.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';

const PAGE_JOBS = 20_000;
const MAX_LISTED = 20;

/**
 * The states of the selected jobs by ascending jid, in batches, without the lease. Throws NO_JOB before the first batch if
 * the selection names a jid that does not exist; a range may include such jids.
 */
export function outcomesOf(queue: Queue, selection: Selection): AsyncGenerator<JobOutcome[]> {
  return existingJobs(queue, selection, PAGE_JOBS, (connection, page) => selectOutcomes(connection, selection, page));
}

/** As `outcomesOf`, with the jobs that `readPage` returns for a page, by ascending jid. */
export async function* existingJobs<Job extends { readonly jid: number }>(
  queue: Queue,
  selection: Selection,
  limit: number,
  readPage: (connection: Connection, page: Page) => Job[],
): AsyncGenerator<Job[]> {
  const named = selection.ranges.filter(({ first, last }) => first === last).map(({ first }) => first);
  for (let after = 0; ; ) {
    const { jobs, missing } = await read(queue, (connection) => {
      const absent = after === 0 ? missingJids(connection, named) : [];
      return { missing: absent, jobs: absent.length > 0 ? [] : readPage(connection, { after, limit }) };
    });
    if (missing.length > 0) throw noSuchJobs(queue, missing);
    const last = jobs.at(-1);
    if (last === undefined) return;
    yield jobs;
    if (jobs.length < limit) return;
    after = last.jid;
  }
}

function noSuchJobs({ directory }: Queue, jids: readonly number[]): RqError {
  const more = jids.length > MAX_LISTED ? ` and ${jids.length - MAX_LISTED} more` : '';
  const listed = `${jids.slice(0, MAX_LISTED).join(', ')}${more}`;
  return new RqError('NO_JOB', `no job ${listed} in ${directory}; list the jobs with: rq ${directory} list`);
}

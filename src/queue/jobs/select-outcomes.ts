import { RqError } from '../../job/errors.ts';
import type { Selection } from '../../job/selection.ts';
import { type JobOutcome, missingJids, selectOutcomes } from '../../store/selections.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';

const PAGE_JOBS = 20_000;
const MAX_LISTED = 20;

/**
 * The states of the selected jobs by ascending jid, in batches, without the lease. Throws NO_JOB before the first batch if
 * the selection names a jid that does not exist; a range may include such jids.
 */
export async function* outcomesOf(queue: Queue, selection: Selection): AsyncGenerator<JobOutcome[]> {
  const named = namedJids(selection);
  for (let after = 0; ; ) {
    const { jobs, missing } = await read(queue, (connection) => ({
      missing: after === 0 ? missingJids(connection, named) : [],
      jobs: selectOutcomes(connection, selection, { after, limit: PAGE_JOBS }),
    }));
    if (missing.length > 0) throw noSuchJobs(queue, missing);
    const last = jobs.at(-1);
    if (last === undefined) return;
    yield jobs;
    if (jobs.length < PAGE_JOBS) return;
    after = last.jid;
  }
}

/** The jids that a selection names by themselves, and not as a part of a range. */
export function namedJids({ ranges }: Selection): number[] {
  return ranges.filter(({ first, last }) => first === last).map(({ first }) => first);
}

export function noSuchJobs({ directory }: Queue, jids: readonly number[]): RqError {
  const more = jids.length > MAX_LISTED ? ` and ${jids.length - MAX_LISTED} more` : '';
  const listed = `${jids.slice(0, MAX_LISTED).join(', ')}${more}`;
  return new RqError('NO_JOB', `no job ${listed} in ${directory}; list the jobs with: rq ${directory} list`);
}

import type { Selection } from '../../../job/selection.ts';
import { selectWaiting } from '../../../store/claim/waiting-rows.ts';
import type { Connection } from '../../../store/connection.ts';
import { SCHEMA_VERSION } from '../../../store/schema.ts';
import { missingJids, type Page } from '../../../store/selections.ts';
import { type HostStates, hostStates } from '../../nodes/host-states.ts';
import type { Queue } from '../../open.ts';
import { read } from '../../transaction/read.ts';
import { namedJids, noSuchJobs } from '../select-outcomes.ts';
import { explainOlder, explainPage, type JobExplanation } from './explain-page.ts';

export type { JobExplanation };

const PAGE_JOBS = 1_000;

/**
 * Explains the selected jobs by ascending jid, in batches. Reads what a claim reads, once for each batch. Throws NO_JOB
 * before the first batch if the selection names a jid that does not exist.
 */
export async function* explainJobs(queue: Queue, selection: Selection): AsyncGenerator<JobExplanation[]> {
  const states = hostStates(queue);
  for (let after = 0; ; ) {
    const page = { after, limit: PAGE_JOBS };
    const { jobs, missing } = await read(queue, (connection) => {
      const absent = after === 0 ? missingJids(connection, namedJids(selection)) : [];
      return { missing: absent, jobs: absent.length > 0 ? [] : explainIn(connection, queue, selection, page, states) };
    });
    if (missing.length > 0) throw noSuchJobs(queue, missing);
    const last = jobs.at(-1);
    if (last === undefined) return;
    yield jobs;
    if (jobs.length < PAGE_JOBS) return;
    after = last.jid;
  }
}

function explainIn(
  connection: Connection,
  { clock, directory }: Queue,
  selection: Selection,
  page: Page,
  states: HostStates,
): JobExplanation[] {
  const isCurrent = connection.version() === SCHEMA_VERSION;
  const rows = selectWaiting(connection, selection, page, isCurrent);
  return isCurrent ? explainPage(connection, rows, states, clock.now()) : explainOlder(directory, rows, clock.now());
}

import type { Selection } from '../../../job/selection.ts';
import { selectWaiting } from '../../../store/claim/waiting-rows.ts';
import type { Connection } from '../../../store/connection.ts';
import { SCHEMA_VERSION } from '../../../store/schema.ts';
import type { Page } from '../../../store/selections.ts';
import { type HostStates, hostStates } from '../../nodes/host-states.ts';
import type { Queue } from '../../open.ts';
import { existingJobs } from '../select-outcomes.ts';
import { explainOlder, explainPage, type JobExplanation } from './explain-page.ts';

export type { JobExplanation };

const PAGE_JOBS = 1_000;

/**
 * Explains the selected jobs by ascending jid, in batches. Reads what a claim reads, once for each batch. Throws NO_JOB
 * before the first batch if the selection names a jid that does not exist.
 */
export function explainJobs(queue: Queue, selection: Selection): AsyncGenerator<JobExplanation[]> {
  const states = hostStates(queue);
  return existingJobs(queue, selection, PAGE_JOBS, (connection, page) =>
    explainIn(connection, queue, selection, page, states),
  );
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

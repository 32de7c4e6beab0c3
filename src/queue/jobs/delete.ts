import { crashAt } from '../../job/crash-points.ts';
import type { Job } from '../../job/job.ts';
import { isSelectedByJid, type Selection } from '../../job/selection.ts';
import { deleteRows } from '../../store/deletions.ts';
import { selectPage } from '../../store/selections.ts';
import { removeJobFiles } from '../files/stored-files.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';

const PAGE_JOBS = 2_000;

/**
 * Deletes the selected jobs, but for running ones, then the files of the deleted. The jids of those running ones that
 * were named are given back, and the files that could not be removed.
 */
export async function deleteJobs(
  queue: Queue,
  selection: Selection,
  progress?: Progress,
): Promise<{ deleted: Job[]; running: number[]; stayed: string[] }> {
  const result = await transaction(queue, (run) => deleteSelected(run, selection, progress));
  crashAt('jobs-deleted');
  return { ...result, stayed: await removeJobFiles(queue.directory, result.deleted) };
}

function deleteSelected(
  run: Transaction,
  selection: Selection,
  progress?: Progress,
): { deleted: Job[]; running: number[] } {
  const deleted: Job[] = [];
  const running: number[] = [];
  let after = 0;
  for (;;) {
    const jobs = selectPage(run.connection, selection, { after, limit: PAGE_JOBS });
    const last = jobs.at(-1);
    if (last === undefined) return { deleted, running };
    after = last.jid;
    const ended = jobs.filter(({ state }) => state !== 'running');
    deleted.push(...ended);
    const refused = jobs.filter(({ state, jid }) => state === 'running' && isSelectedByJid(jid, selection));
    running.push(...refused.map(({ jid }) => jid));
    deleteRows(
      run.connection,
      ended.map(({ jid }) => jid),
    );
    run.refresh();
    progress?.(deleted.length);
  }
}

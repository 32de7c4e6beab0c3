import { crashAt } from '../../job/crash-points.ts';
import type { Job } from '../../job/job.ts';
import { isSelectedByJid, type Selection } from '../../job/selection.ts';
import { deleteRows } from '../../store/deletions.ts';
import { selectPage } from '../../store/selections.ts';
import { removeJobFiles } from '../files/remove-job-files.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';

const PAGE_JOBS = 2_000;

/** The result of a deletion. */
export interface Deletion {
  readonly deleted: Job[];
  /** Jids of running jobs that were selected by their jids. They are not deleted. */
  readonly running: number[];
}

/** Deletes the selected jobs except running ones, then their files. `remaining` are files that could not be removed. */
export async function deleteJobs(
  queue: Queue,
  selection: Selection,
  progress?: Progress,
): Promise<Deletion & { remaining: string[] }> {
  const result = await transaction(queue, (run) => deleteSelected(run, selection, progress));
  crashAt('jobs-deleted');
  return { ...result, remaining: await removeJobFiles(queue.directory, result.deleted) };
}

function deleteSelected(run: Transaction, selection: Selection, progress?: Progress): Deletion {
  const deleted: Job[] = [];
  const running: number[] = [];
  for (let after = 0; ; ) {
    const jobs = selectPage(run.connection, selection, { after, limit: PAGE_JOBS });
    const last = jobs.at(-1);
    if (last === undefined) return { deleted, running };
    after = last.jid;
    const deletable = jobs.filter(({ state }) => state !== 'running');
    deleted.push(...deletable);
    const refused = jobs.filter(({ state, jid }) => state === 'running' && isSelectedByJid(jid, selection));
    running.push(...refused.map(({ jid }) => jid));
    deleteRows(
      run.connection,
      deletable.map(({ jid }) => jid),
    );
    run.refresh();
    progress?.(deleted.length);
  }
}

import { crashAt } from '../../job/crash-points.ts';
import type { Job } from '../../job/job.ts';
import { isSelectedByJid, type Selection } from '../../job/selection.ts';
import { removeEmptyArrays } from '../../store/arrays.ts';
import { deleteRows } from '../../store/deletions.ts';
import { workOffDecisions } from '../../store/dependencies/work-off.ts';
import { selectPage } from '../../store/selections.ts';
import { RecordFile } from '../files/record-file.ts';
import { removeJobFiles } from '../files/remove-job-files.ts';
import type { RemainingPaths } from '../files/remove-paths.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';
import { NeededJobs } from './needed-jobs.ts';

const PAGE_JOBS = 2_000;

/** The result of a deletion. */
export interface Deletion {
  /** The deleted jobs. The caller closes the file. */
  readonly deleted: RecordFile<Job>;
  /** Jids of running jobs that were selected by their jids. They are not deleted. */
  readonly running: readonly number[];
  /** Files that could not be removed. */
  readonly remaining: RemainingPaths;
}

/**
 * Deletes the selected jobs except running ones in one transaction, then their files. Throws JOB_NEEDED, and changes nothing,
 * if a pending or holding job that remains needs one of them, unless `force`: it then counts as failed.
 */
export async function deleteJobs(
  queue: Queue,
  selection: Selection,
  { force }: { readonly force: boolean },
  progress?: Progress,
): Promise<Deletion> {
  const deleted = RecordFile.temporary<Job>();
  try {
    const running = await transaction(queue, (run) => {
      const needed = new NeededJobs(run.connection);
      const refused = deleteSelected(run, selection, { deleted, needed }, progress);
      if (!force) needed.refuse();
      workOffDecisions(run.connection, queue.clock.now());
      return refused;
    });
    crashAt('jobs-deleted');
    return { deleted, running, remaining: await removeJobFiles(queue.directory, deleted) };
  } catch (error) {
    deleted.close();
    throw error;
  }
}

/** Returns the jids of the running jobs that are selected by their jids. */
function deleteSelected(
  run: Transaction,
  selection: Selection,
  { deleted, needed }: { readonly deleted: RecordFile<Job>; readonly needed: NeededJobs },
  progress?: Progress,
): number[] {
  const running: number[] = [];
  const arrays = new Set<number>();
  // An earlier try may have been rolled back.
  deleted.clear();
  for (let after = 0; ; ) {
    const jobs = selectPage(run.connection, selection, { after, limit: PAGE_JOBS });
    const last = jobs.at(-1);
    if (last === undefined) break;
    after = last.jid;
    const deletable = jobs.filter(({ state }) => state !== 'running');
    for (const job of deletable) {
      deleted.add(job);
      if (job.array !== null) arrays.add(job.array);
    }
    needed.add(deletable);
    const refused = jobs.filter(({ state, jid }) => state === 'running' && isSelectedByJid(jid, selection));
    running.push(...refused.map(({ jid }) => jid));
    deleteRows(
      run.connection,
      deletable.map(({ jid }) => jid),
    );
    run.refresh();
    progress?.(deleted.count);
  }
  if (arrays.size > 0) removeEmptyArrays(run.connection, arrays);
  return running;
}

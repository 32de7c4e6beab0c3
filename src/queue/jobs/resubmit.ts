import type { Selection } from '../../job/selection.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type ChangeResult, changeJobs } from './change-jobs.ts';
import type { JobChange } from './job-change.ts';

/** Requeues the selected finished and dead jobs in one transaction. They keep their jids and their attempts. */
export async function resubmitJobs(
  queue: Queue,
  selection: Selection,
  change: JobChange,
  progress?: Progress,
): Promise<ChangeResult> {
  return await changeJobs(queue, selection, change, 'resubmit', progress);
}

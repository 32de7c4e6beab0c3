import type { Selection } from '../../job/selection.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type ChangeResult, changeJobs } from './change-jobs.ts';
import type { JobChange } from './job-change.ts';

/** Changes fields of the selected pending and holding jobs in one transaction. */
export async function updateJobs(
  queue: Queue,
  selection: Selection,
  change: JobChange,
  progress?: Progress,
): Promise<ChangeResult> {
  return await changeJobs(queue, selection, change, 'update', progress);
}

import type { Selection } from '../../job/selection.ts';
import { updateJob } from '../../store/changes.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type Changed, type ChangeKind, changeJobs } from './change-jobs.ts';
import type { JobChange } from './job-change.ts';

const UPDATE: ChangeKind = {
  from: ['pending', 'holding'],
  to: (job, change) => change.state ?? (job.state === 'holding' ? 'holding' : 'pending'),
  write: updateJob,
};

/** Changes fields of pending and holding jobs, all selected ones in one transaction. */
export async function updateJobs(
  queue: Queue,
  selection: Selection,
  change: JobChange,
  progress?: Progress,
): Promise<Changed> {
  return await changeJobs(queue, selection, change, UPDATE, progress);
}

import type { Selection } from '../../job/selection.ts';
import { resubmitJob } from '../../store/changes.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type Changed, type ChangeKind, changeJobs } from './change-jobs.ts';
import type { JobChange } from './job-change.ts';

const RESUBMIT: ChangeKind = {
  from: ['finished', 'dead'],
  to: (_, change) => change.state ?? 'pending',
  write: resubmitJob,
};

/** Puts finished and dead jobs back to wait, under their jids, in one transaction; their attempts stay on record. */
export async function resubmitJobs(
  queue: Queue,
  selection: Selection,
  change: JobChange,
  progress?: Progress,
): Promise<Changed> {
  return await changeJobs(queue, selection, change, RESUBMIT, progress);
}

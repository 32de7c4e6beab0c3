import type { SubmitterFields } from '../../job/columns.ts';
import type { Job } from '../../job/job.ts';
import type { ChangedFields } from '../../store/changes.ts';

/** Fields to change; absent fields stay, and null clears a field. `stdin` and `data` are absolute paths of files to copy. */
export type JobChange = Partial<SubmitterFields> & { readonly state?: 'pending' | 'holding' };

/** The fields of a job after a change. `files` are the paths of its files in the queue. */
export function changedFields(
  job: Job,
  change: JobChange,
  state: ChangedFields['state'],
  files: Pick<ChangedFields, 'stdin' | 'data'>,
): ChangedFields {
  return { ...job, ...change, ...files, state };
}

import type { SubmitterFields } from '../../job/columns.ts';
import { RqError } from '../../job/errors.ts';
import { combinationFault } from '../../job/fields.ts';
import type { Job } from '../../job/job.ts';
import type { ChangedFields } from '../../store/changes.ts';

/** Fields to change; absent fields stay, and null clears a field. `stdin` and `data` are absolute paths of files to copy. */
export type JobChange = Partial<SubmitterFields> & { readonly state?: 'pending' | 'holding' };

/** The fields of a job after a change. Throws INVALID_INPUT for a warning without a longer time limit. `files` are the paths of its files in the queue. */
export function changedFields(
  job: Job,
  change: JobChange,
  state: ChangedFields['state'],
  files: Pick<ChangedFields, 'stdin' | 'data'>,
): ChangedFields {
  const fields = { ...job, ...change, ...files, state };
  const fault = change.warn === undefined && change.time_limit === undefined ? undefined : combinationFault(fields);
  if (fault === undefined) return fields;
  throw new RqError('INVALID_INPUT', `cannot change job ${job.jid}: ${fault}; nothing was changed`);
}

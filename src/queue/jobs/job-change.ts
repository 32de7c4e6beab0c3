import type { SubmitterFields } from '../../job/columns.ts';
import { RqError } from '../../job/errors.ts';
import { combinationFault, fieldCheck } from '../../job/fields.ts';
import type { Job } from '../../job/job.ts';
import type { ChangedFields } from '../../store/changes.ts';
import type { JobFiles } from '../files/stored-names.ts';

/** Fields to change; absent fields stay, and null clears a field. The values of file kinds are absolute paths of files to copy. */
export type JobChange = Partial<SubmitterFields> & {
  readonly state?: 'pending' | 'holding';
  /** Also revive the jobs that died because a requeued job failed. */
  readonly withDependents?: boolean;
  /** The new command of a job; undefined if the job should not be changed at all. */
  readonly editCommand?: (command: string) => string | undefined;
};

const commandFault = fieldCheck('command');

/** The command of a job after a change; undefined if the job should not be changed. Throws INVALID_INPUT. */
export function changedCommand({ jid, command }: Job, { editCommand, ...change }: JobChange): string | undefined {
  if (editCommand === undefined) return change.command ?? command;
  const edited = editCommand(command);
  const fault = edited === undefined ? undefined : commandFault?.(edited);
  if (fault === undefined) return edited;
  throw new RqError('INVALID_INPUT', `cannot change job ${jid}: its new command ${fault}; nothing was changed`);
}

/** The fields of a job after a change. Throws INVALID_INPUT for a warning without a longer time limit. `files` are the paths of its files in the queue. */
export function changedFields(
  job: Job,
  change: JobChange,
  { state, command, files }: Pick<ChangedFields, 'state' | 'command'> & { readonly files: JobFiles },
): ChangedFields {
  const fields = { ...job, ...change, ...files, command, state };
  const fault = change.warn === undefined && change.time_limit === undefined ? undefined : combinationFault(fields);
  if (fault === undefined) return fields;
  throw new RqError('INVALID_INPUT', `cannot change job ${job.jid}: ${fault}; nothing was changed`);
}

import type { SubmitterFields } from '../../job/columns.ts';
import { RqError } from '../../job/errors.ts';
import { fieldCheck } from '../../job/fields.ts';
import type { Job } from '../../job/job.ts';
import type { ChangedFields } from '../../store/changes.ts';
import type { JobFiles } from '../files/stored-names.ts';

/** Fields to change; absent fields stay, and null clears a field. The values of file kinds are absolute paths of files to copy. */
export type JobChange = Partial<SubmitterFields> & {
  readonly state?: 'pending' | 'holding';
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

/** The fields of a job after a change. `files` are the paths of its files in the queue. */
export function changedFields(
  job: Job,
  change: JobChange,
  { state, command, files }: Pick<ChangedFields, 'state' | 'command'> & { readonly files: JobFiles },
): ChangedFields {
  return { ...job, ...change, ...files, command, state };
}

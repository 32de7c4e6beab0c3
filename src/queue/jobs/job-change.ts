import type { Job } from '../../job/job.ts';
import type { PendingFields } from '../../store/changes.ts';

/** What is to be changed of jobs that wait; what is absent stays. `stdin` and `data` are absolute paths of sources. */
export interface JobChange {
  readonly state?: 'pending' | 'holding';
  readonly command?: string;
  readonly priority?: number;
  readonly tag?: string | null;
  readonly restartable?: boolean;
  readonly runners?: string | null;
  readonly cwd?: string;
  readonly stdin?: string | null;
  readonly data?: string | null;
}

/** The fields of a job with a change made to them; its files are given as they will be called. */
export function changedFields(
  job: Job,
  change: JobChange,
  state: PendingFields['state'],
  files: Pick<PendingFields, 'stdin' | 'data'>,
): PendingFields {
  return {
    state,
    command: change.command ?? job.command,
    priority: change.priority ?? job.priority,
    tag: change.tag === undefined ? job.tag : change.tag,
    restartable: change.restartable ?? job.restartable,
    runners: change.runners === undefined ? job.runners : change.runners,
    cwd: change.cwd ?? job.cwd,
    ...files,
  };
}

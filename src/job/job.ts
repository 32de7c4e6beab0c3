import type { Variables } from './columns/variables.ts';
import type { Columns, StoredField, SubmitterFields, ValueOf } from './columns.ts';
import type { JobState, StateGroup } from './states.ts';

export { JOB_FIELDS, type JobField, STORED_FIELDS, type StoredField } from './columns.ts';
export { JOB_STATES, type JobState } from './states.ts';

/** The fields that a job has in the states of these groups, apart from its state. */
type FieldsIn<Group extends StateGroup> = {
  readonly [Name in StoredField as Name extends 'state'
    ? never
    : Columns[Name]['states'] extends Group
      ? Name
      : never]: ValueOf<Name>;
};

export type WaitingJob = FieldsIn<'any'> & {
  readonly state: 'pending' | 'holding';
  /** What a pending job waits for besides its turn and a free place, if rq has determined it. */
  readonly waits_for?: string | undefined;
};

export type RunningJob = FieldsIn<'any' | 'claimed'> & { readonly state: 'running' };

/** The process ended and its end was seen: `exit_status` or `signal` is set. */
export type FinishedJob = FieldsIn<'any' | 'claimed' | 'ended'> & { readonly state: 'finished' };

/** The end of the job is unknown, or the job never ran; `reason` says why. A job that never ran has no claim. */
export type DeadJob = FieldsIn<'any' | 'ended' | 'dead'> &
  Nullable<FieldsIn<'claimed'>> & { readonly state: 'dead'; readonly reason: string };

type Nullable<Fields> = { readonly [Name in keyof Fields]: Fields[Name] | null };

export type Job = WaitingJob | RunningJob | FinishedJob | DeadJob;

/** A job to submit. `stdin`, `data` and `script` are absolute paths of files to copy into the queue. */
export type Submission = SubmitterFields & {
  /** Submit it as holding. */
  readonly stage: boolean;
  /** Its index in its array, and its values in its sweep. */
  readonly index?: number;
  readonly for?: Variables;
};

/** The limits of an array or a sweep. */
export interface ArrayLimits {
  /** How many of its tasks may run at the same time; null is any number. */
  readonly atMost: number | null;
  /** It stops after this many failures; null is never. */
  readonly maxFails: number | null;
}

/** Identifies an attempt. `claim` counts the claims of the job: unlike the number of an attempt, it is never reused. */
export interface AttemptKey {
  readonly jid: number;
  readonly claim: number;
}

/** A job that a feeder has claimed. */
export type ClaimedJob = RunningJob & AttemptKey;

/** The fields of a job that tell how it ended. */
export interface Outcome {
  readonly state: JobState;
  readonly exit_status?: number | null;
  readonly signal?: string | null;
  readonly reason?: string | null;
}

/** Whether a job has ended for good. A job with a retry due is pending. */
export function hasEnded(job: Job): job is FinishedJob | DeadJob {
  return job.state === 'finished' || job.state === 'dead';
}

/** Whether a job failed: it is dead, or it finished with anything but exit status 0, or with a reason: rq ended it. */
export function hasFailed({ state, exit_status, reason = null }: Outcome): boolean {
  return state === 'dead' || (state === 'finished' && (exit_status !== 0 || reason !== null));
}

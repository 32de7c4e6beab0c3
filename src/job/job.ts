/** The states of a job; docs/states.md draws the transitions. */
export const JOB_STATES = ['pending', 'holding', 'running', 'finished', 'dead'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** A job's fields in the order in which they are printed. */
export const JOB_FIELDS = [
  'jid',
  'priority',
  'state',
  'submitted',
  'started',
  'finished',
  'elapsed',
  'submitter',
  'owner',
  'runner',
  'pid',
  'exit_status',
  'signal',
  'reason',
  'attempt',
  'tag',
  'restartable',
  'runners',
  'cwd',
  'stdin',
  'stdout',
  'stderr',
  'data',
  'command',
] as const;
export type JobField = (typeof JOB_FIELDS)[number];

/** What every job has. Times are ISO 8601 in UTC with milliseconds, file paths are relative to the queue. */
interface JobBase {
  readonly jid: number;
  readonly priority: number;
  readonly submitted: string;
  /** The host that submitted the job, and the user there. */
  readonly submitter: string;
  readonly owner: string;
  /** The number of the latest attempt; 0 for a job that was never claimed. */
  readonly attempt: number;
  readonly tag: string | null;
  readonly restartable: boolean;
  /** Host names or globs, comma-separated, that alone may run the job. */
  readonly runners: string | null;
  readonly cwd: string;
  readonly stdin: string | null;
  readonly stdout: string | null;
  readonly stderr: string | null;
  readonly data: string | null;
  readonly command: string;
}

export interface WaitingJob extends JobBase {
  readonly state: 'pending' | 'holding';
}

interface ClaimedJob extends JobBase {
  readonly started: string;
  /** The host that runs or ran the attempt; its pid, null until the runner told it. */
  readonly runner: string;
  readonly pid: number | null;
}

export interface RunningJob extends ClaimedJob {
  readonly state: 'running';
}

interface EndedJob extends ClaimedJob {
  readonly finished: string;
  /** Seconds by the runner's monotonic clock; null where nobody measured. */
  readonly elapsed: number | null;
  readonly exit_status: number | null;
  readonly signal: string | null;
}

/** Its process ended and was seen to: an exit status, or the name of the signal that ended it. */
export interface FinishedJob extends EndedJob {
  readonly state: 'finished';
}

/** It never came to a known end; the reason says why. */
export interface DeadJob extends EndedJob {
  readonly state: 'dead';
  readonly reason: string;
}

export type Job = WaitingJob | RunningJob | FinishedJob | DeadJob;

/** What a submitter may say of a job; `stdin` and `data` are absolute paths of what is copied into the queue. */
export interface Submission {
  readonly command: string;
  readonly priority: number;
  readonly tag: string | null;
  readonly runners: string | null;
  readonly restartable: boolean;
  readonly cwd: string;
  readonly stage: boolean;
  readonly stdin: string | null;
  readonly data: string | null;
}

/** One execution of a job, named the same everywhere. */
export interface AttemptKey {
  readonly jid: number;
  readonly attempt: number;
}

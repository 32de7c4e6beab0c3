import type { JobState } from '../job/job.ts';
import type { JobTimes } from '../store/counts.ts';
import type { FinishedJobs } from './status-sections.ts';

/** The fields of a job that are counted. A job has those of its state. */
export interface CountedJob extends Pick<JobTimes, 'jid' | 'submitted'> {
  readonly state: JobState;
  readonly started?: string | null;
  readonly finished?: string | null;
  readonly elapsed?: number | null;
  readonly runner?: string | null;
  readonly exit_status?: number | null;
  readonly signal?: string | null;
  readonly cpu_time?: number | null;
}

/** Counts jobs, which come by ascending jid. */
export class JobTally {
  readonly counts: Record<JobState, number> = { pending: 0, holding: 0, running: 0, finished: 0, dead: 0 };
  readonly extremes = new Map<JobState, { readonly first: JobTimes; readonly last: JobTimes }>();
  /** Exit statuses of finished jobs. */
  readonly exitStatuses = new Map<number, number>();
  /** Failed jobs by exit status or signal, or `dead`. */
  readonly failuresByEnd = new Map<string, number>();
  readonly failuresByHost = new Map<string, number>();
  failures = 0;
  cpuSeconds = 0;
  private readonly recent: number[];
  private timed = 0;
  private seconds = 0;
  private firstStarted: string | null = null;

  /** `periodStarts`: the times since which finished jobs are counted. */
  constructor(private readonly periodStarts: readonly string[]) {
    this.recent = periodStarts.map(() => 0);
  }

  add(job: CountedJob): void {
    const { jid, state, submitted, started = null, finished = null, elapsed = null } = job;
    const times = { jid, submitted, started, finished, elapsed };
    this.counts[state] += 1;
    this.extremes.set(state, { first: this.extremes.get(state)?.first ?? times, last: times });
    this.cpuSeconds += job.cpu_time ?? 0;
    if (state === 'finished') this.addFinished(job, times);
    if (state === 'dead') this.addFailure(job, 'dead');
  }

  get finished(): FinishedJobs {
    const { seconds, timed, recent, firstStarted } = this;
    return { averageSeconds: timed === 0 ? null : seconds / timed, recent, firstStarted };
  }

  private addFinished(job: CountedJob, { started, finished, elapsed }: JobTimes): void {
    const status = job.exit_status ?? null;
    if (status !== null) increase(this.exitStatuses, status);
    if (status !== 0) this.addFailure(job, String(status ?? job.signal));
    if (elapsed !== null) {
      this.timed += 1;
      this.seconds += elapsed;
    }
    if (this.firstStarted === null || (started !== null && started < this.firstStarted)) this.firstStarted = started;
    for (const [index, start] of this.periodStarts.entries()) {
      if (finished !== null && finished >= start) this.recent[index] = (this.recent[index] ?? 0) + 1;
    }
  }

  private addFailure({ runner }: CountedJob, end: string): void {
    this.failures += 1;
    increase(this.failuresByEnd, end);
    increase(this.failuresByHost, String(runner));
  }
}

function increase<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

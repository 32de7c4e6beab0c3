import type { JobState } from '../job/job.ts';
import type { JobGroup, JobTimes } from '../store/counts.ts';
import type { FinishedJobs } from './status-sections.ts';

/** Adds up groups of jobs, which come by ascending jid. */
export class JobTally {
  readonly counts: Record<JobState, number> = { pending: 0, holding: 0, running: 0, finished: 0, dead: 0 };
  readonly extremes = new Map<JobState, { readonly first: JobTimes; readonly last: JobTimes }>();
  /** Finished jobs by exit status. */
  readonly exitStatuses = new Map<number, number>();
  /** Failed jobs by exit status or signal, or `dead`. */
  readonly failuresByEnd = new Map<string, number>();
  readonly failuresByHost = new Map<string, number>();
  failures = 0;
  cpuSeconds = 0;
  private readonly recent: number[] = [];
  private timed = 0;
  private seconds = 0;
  private firstStarted: string | null = null;

  add(group: JobGroup): void {
    const { state, jobs, first, last } = group;
    this.counts[state] += jobs;
    this.cpuSeconds += group.cpu_time;
    const known = this.extremes.get(state) ?? { first, last };
    this.extremes.set(state, {
      first: known.first.jid < first.jid ? known.first : first,
      last: known.last.jid > last.jid ? known.last : last,
    });
    if (state === 'finished') this.addFinished(group);
    if (state === 'dead') this.addFailures(group, 'dead');
  }

  get finished(): FinishedJobs {
    const { seconds, timed, recent, firstStarted } = this;
    return { averageSeconds: timed === 0 ? null : seconds / timed, recent, firstStarted };
  }

  private addFinished(group: JobGroup): void {
    const { exit_status: status, signal, started } = group;
    if (status !== null) increase(this.exitStatuses, status, group.jobs);
    if (status !== 0) this.addFailures(group, String(status ?? signal));
    this.timed += group.timed;
    this.seconds += group.elapsed;
    if (this.firstStarted === null || (started !== null && started < this.firstStarted)) this.firstStarted = started;
    for (const [index, jobs] of group.recent.entries()) this.recent[index] = (this.recent[index] ?? 0) + jobs;
  }

  private addFailures({ runner, jobs }: JobGroup, end: string): void {
    this.failures += jobs;
    increase(this.failuresByEnd, end, jobs);
    increase(this.failuresByHost, String(runner), jobs);
  }
}

function increase<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

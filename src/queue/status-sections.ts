import type { JobState } from '../job/job.ts';
import type { JobTimes } from '../store/counts/counts.ts';
import { duration } from './duration.ts';

const HOUR_MS = 3_600_000;
/** The periods in which `status` counts the jobs that finished. */
const PERIODS_HOURS = [1, 12, 24] as const;
/** The rate is that of the shortest period in which this many jobs finished. */
const ENOUGH_JOBS = 10;

export interface FinishedJobs {
  /** The average run time; null without jobs. */
  readonly averageSeconds: number | null;
  /** How many finished in each of the periods. */
  readonly recent: readonly number[];
  /** The start of the first job. */
  readonly firstStarted: string | null;
}

/** The start times of the periods. */
export function periodStarts(now: string): string[] {
  return PERIODS_HOURS.map((hours) => new Date(Date.parse(now) - hours * HOUR_MS).toISOString());
}

/** The section `performance`. `unfinished` is the number of pending and running jobs. */
export function performanceStatus(finished: FinishedJobs, unfinished: number, now: string): Record<string, unknown> {
  const { averageSeconds, recent } = finished;
  const [hour = 0, halfDay = 0, day = 0] = recent;
  const rate = jobsAnHour(finished, Date.parse(now));
  return {
    average_time_a_job: averageSeconds === null ? null : duration(averageSeconds),
    finished_in_the_last_hour: hour,
    finished_in_the_last_12_hours: halfDay,
    finished_in_the_last_24_hours: day,
    jobs_an_hour: Math.round(rate * 100) / 100,
    time_left: timeLeft(unfinished, rate),
  };
}

function timeLeft(unfinished: number, rate: number): string | null {
  if (unfinished === 0) return duration(0);
  return rate === 0 ? null : duration((unfinished / rate) * 3600);
}

/** A period does not begin before the start of the first job. Without a period with enough jobs, the longest counts. */
function jobsAnHour({ recent, firstStarted }: FinishedJobs, nowMs: number): number {
  const enough = recent.findIndex((jobs) => jobs >= ENOUGH_JOBS);
  const index = enough === -1 ? PERIODS_HOURS.length - 1 : enough;
  const period = PERIODS_HOURS[index] ?? 0;
  const sinceFirst = firstStarted === null ? period : (nowMs - Date.parse(firstStarted)) / HOUR_MS;
  // The clocks of two hosts differ.
  const hours = Math.max(1 / 3600, Math.min(period, sinceFirst));
  return (recent[index] ?? 0) / hours;
}

/** A part of the section `temporal`: the jobs of a state with the lowest and the highest jid. */
export function temporalStatus(
  found: { readonly first: JobTimes; readonly last: JobTimes } | undefined,
  state: JobState,
  now: string,
): Record<string, unknown> {
  if (found === undefined) return {};
  return {
    oldest: { [found.first.jid]: ageOf(found.first, state, now) },
    newest: { [found.last.jid]: ageOf(found.last, state, now) },
  };
}

/** How long a job has waited or run, or the duration of an ended job. */
function ageOf(job: JobTimes, state: JobState, now: string): string {
  if (job.elapsed !== null) return duration(job.elapsed);
  const since = state === 'running' ? job.started : (job.finished ?? job.submitted);
  return duration(Math.max(0, Date.parse(now) - Date.parse(since ?? now)) / 1000);
}

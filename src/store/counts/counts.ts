import type { JobState } from '../../job/job.ts';
import type { Connection } from '../connection.ts';

const TOTAL = 'SELECT count(*) AS jobs FROM jobs';
const OF_STATE = 'SELECT count(*) AS jobs FROM main.jobs INDEXED BY jobs_by_state WHERE state = ?';
const FIRST = 'SELECT min(jid) AS jid FROM jobs WHERE state = ?';
const LAST = 'SELECT max(jid) AS jid FROM jobs WHERE state = ?';
const TIMES = 'SELECT jid, submitted, started, finished, elapsed FROM jobs WHERE jid = ?';
const FINISHED_SINCE = `SELECT count(*) AS jobs FROM main.jobs INDEXED BY jobs_finished
  WHERE state = 'finished' AND finished >= ?`;
const FINISHED_TOTALS = `SELECT count(*) AS jobs, avg(elapsed) AS seconds, 
  count(CASE WHEN exit_status = 0 AND reason IS NULL THEN 1 END) AS successes
  FROM main.jobs INDEXED BY jobs_finished WHERE state = 'finished'`;
const FIRST_STARTED = `SELECT started FROM main.jobs INDEXED BY jobs_finished
  WHERE state = 'finished' ORDER BY finished LIMIT 1`;
const EXITED_WITH = `SELECT count(*) AS jobs FROM main.jobs INDEXED BY jobs_finished
  WHERE state = 'finished' AND exit_status IN (SELECT value FROM json_each(?))`;
const USED_BY_HOST = `SELECT runner, coalesce(sum(coalesce(cpus, 1)), 0) AS cpus, coalesce(sum(memory), 0) AS memory,
  coalesce(sum(gpus), 0) AS gpus FROM jobs WHERE state = 'running' GROUP BY runner`;
const RUNNING_BY_HOST = "SELECT runner, count(*) AS jobs FROM jobs WHERE state = 'running' GROUP BY runner";

/**
 * The number of jobs in each state; that of finished jobs is known. Pending jobs are the total minus the others: SQLite
 * counts a table ten times faster than a state (7 ms for a million rows), and most jobs are finished or pending.
 */
export function countByState(connection: Connection, finished: number): Record<JobState, number> {
  const of = (state: JobState): number => Number(connection.get(OF_STATE, [state])?.['jobs']);
  const others = { holding: of('holding'), running: of('running'), dead: of('dead') };
  const ended = others.holding + others.running + others.dead + finished;
  return { pending: Number(connection.get(TOTAL)?.['jobs']) - ended, ...others, finished };
}

export interface JobTimes {
  readonly jid: number;
  readonly submitted: string;
  readonly started: string | null;
  readonly finished: string | null;
  readonly elapsed: number | null;
}

/** The jobs of a state with the lowest and the highest jid; undefined if there are none. */
export function oldestAndNewest(
  connection: Connection,
  state: JobState,
): { first: JobTimes; last: JobTimes } | undefined {
  const first = connection.get(FIRST, [state])?.['jid'];
  const last = connection.get(LAST, [state])?.['jid'];
  if (typeof first !== 'number' || typeof last !== 'number') return undefined;
  return { first: timesOf(connection, first), last: timesOf(connection, last) };
}

export function timesOf(connection: Connection, jid: number): JobTimes {
  return connection.get(TIMES, [jid]) as unknown as JobTimes;
}

/** The number of jobs that finished at this time or later. */
export function countFinishedSince(connection: Connection, time: string): number {
  return Number(connection.get(FINISHED_SINCE, [time])?.['jobs']);
}

/** Finished jobs: their number, the number with exit status 0, and the average duration in seconds (null for none). */
export function finishedTotals(connection: Connection): { jobs: number; successes: number; seconds: number | null } {
  const row = connection.get(FINISHED_TOTALS);
  const seconds = row?.['seconds'];
  return {
    jobs: Number(row?.['jobs']),
    successes: Number(row?.['successes']),
    seconds: typeof seconds === 'number' ? seconds : null,
  };
}

/** The start of the job that finished first; null for none. */
export function firstStarted(connection: Connection): string | null {
  const started = connection.get(FIRST_STARTED)?.['started'];
  return typeof started === 'string' ? started : null;
}

/** The number of jobs that finished with one of these exit statuses. */
export function countExitStatuses(connection: Connection, values: readonly number[]): number {
  return Number(connection.get(EXITED_WITH, [JSON.stringify(values)])?.['jobs']);
}

/** The number of running jobs of each host. */
export function runningByHost(connection: Connection): Map<string, number> {
  return new Map(connection.all(RUNNING_BY_HOST).map((row) => [String(row['runner']), Number(row['jobs'])]));
}

/** What the running jobs of a host take of it. Memory is in bytes. */
export interface UsedResources {
  readonly cpus: number;
  readonly memory: number;
  readonly gpus: number;
}

/** What the running jobs take of each host. */
export function usedByHost(connection: Connection): Map<string, UsedResources> {
  return new Map(
    connection.all(USED_BY_HOST).map(({ runner, cpus, memory, gpus }) => {
      return [String(runner), { cpus: Number(cpus), memory: Number(memory), gpus: Number(gpus) }];
    }),
  );
}

import type { JobState } from '../job/job.ts';
import type { Selection } from '../job/selection.ts';
import type { Connection, Row } from './connection.ts';
import { type Page, readParts } from './selections.ts';

const TOTAL = 'SELECT count(*) AS jobs FROM jobs';
const OF_STATE = 'SELECT count(*) AS jobs FROM main.jobs INDEXED BY jobs_by_state WHERE state = ?';
const FIRST = 'SELECT min(jid) AS jid FROM jobs WHERE state = ?';
const LAST = 'SELECT max(jid) AS jid FROM jobs WHERE state = ?';
const TIMES = 'SELECT jid, submitted, started, finished, elapsed FROM jobs WHERE jid = ?';
const FINISHED_SINCE = `SELECT count(*) AS jobs FROM main.jobs INDEXED BY jobs_finished
  WHERE state = 'finished' AND finished >= ?`;
const FINISHED_TOTALS = `SELECT count(*) AS jobs, avg(elapsed) AS seconds, count(CASE WHEN exit_status = 0 THEN 1 END) AS successes
  FROM main.jobs INDEXED BY jobs_finished WHERE state = 'finished'`;
const FIRST_STARTED = `SELECT started FROM main.jobs INDEXED BY jobs_finished
  WHERE state = 'finished' ORDER BY finished LIMIT 1`;
const EXITED_WITH = `SELECT count(*) AS jobs FROM main.jobs INDEXED BY jobs_finished
  WHERE state = 'finished' AND exit_status IN (SELECT value FROM json_each(?))`;
const RUNNING_BY_HOST = "SELECT runner, count(*) AS jobs FROM jobs WHERE state = 'running' GROUP BY runner";
const KEYS = 'state, runner, exit_status, signal';
const SUMS = `count(*) AS jobs, total(elapsed) AS elapsed, count(elapsed) AS timed, total(cpu_time) AS cpu_time,
  min(started) AS started, min(jid) AS first, max(jid) AS last`;

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

function timesOf(connection: Connection, jid: number): JobTimes {
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

/** The selected jobs of a page that have the same state, host, exit status and signal. */
export interface JobGroup {
  readonly state: JobState;
  readonly runner: string | null;
  readonly exit_status: number | null;
  readonly signal: string | null;
  readonly jobs: number;
  /** The sum of the run times, and the number of jobs that have one. */
  readonly elapsed: number;
  readonly timed: number;
  readonly cpu_time: number;
  readonly started: string | null;
  /** The number of jobs that finished since each of the given times. */
  readonly recent: readonly number[];
  /** The jobs with the lowest and the highest jid. */
  readonly first: JobTimes;
  readonly last: JobTimes;
}

/** Groups of the first selected jobs after a jid. SQL counts them: it takes a tenth of the time of reading all fields. */
export function countPage(
  connection: Connection,
  selection: Selection,
  page: Page,
  since: readonly string[],
): JobGroup[] {
  const recent = since.map((_, index) => `, count(*) FILTER (WHERE finished >= :since${index}) AS recent${index}`);
  const times = Object.fromEntries(since.map((time, index) => [`since${index}`, time]));
  const groups: JobGroup[] = [];
  readParts(selection, page, (sql, parameters) => {
    const grouped = `SELECT ${KEYS}, ${SUMS}${recent.join('')} FROM (${sql}) GROUP BY ${KEYS}`;
    const rows = connection.all(grouped, { ...parameters, ...times });
    for (const row of rows) groups.push(groupOf(connection, row, since));
    return rows.reduce((jobs, row) => jobs + Number(row['jobs']), 0);
  });
  return groups;
}

function groupOf(connection: Connection, row: Row, since: readonly string[]): JobGroup {
  return {
    ...row,
    recent: since.map((_, index) => Number(row[`recent${index}`])),
    first: timesOf(connection, Number(row['first'])),
    last: timesOf(connection, Number(row['last'])),
  } as unknown as JobGroup;
}

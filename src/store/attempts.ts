import type { AttemptKey, ClaimedJob, JobState } from '../job/job.ts';
import { addFailedStart, finalReason, parseFailedStarts } from '../job/placement/failed-starts.ts';
import { type JobEvent, nextState } from '../job/transitions.ts';
import type { Connection, Row } from './connection.ts';
import { ATTEMPT_LIST, CLEAR_CLAIM, END_VALUES, SET_END } from './job-columns.ts';
import { JOB_COLUMNS, jobFromRow } from './job-rows.ts';

const STATE =
  'SELECT state, restartable, losses, is_lost, runners, failed_starts FROM jobs WHERE jid = :jid AND claim = :claim AND runner = :host';
const START = `UPDATE jobs SET pid = :pid, started = :started, failed_starts = NULL
  WHERE jid = :jid AND claim = :claim AND runner = :host AND state = 'running'`;
const END = `UPDATE jobs SET state = :state, is_lost = :is_lost, ${SET_END} WHERE jid = :jid`;
const KEEP_ATTEMPT = `INSERT INTO earlier_attempts (${ATTEMPT_LIST}) SELECT ${END_VALUES} FROM jobs WHERE jid = :jid`;
const REQUEUE = `UPDATE jobs SET state = :state, losses = :losses, ${CLEAR_CLAIM} WHERE jid = :jid`;
const RELEASE = `UPDATE jobs SET state = :state, attempt = attempt - 1, ${CLEAR_CLAIM} WHERE jid = :jid`;
const SET_FAILED_STARTS = 'UPDATE jobs SET failed_starts = :failed_starts WHERE jid = :jid';
const OF_OTHER_HOSTS = `SELECT jid, claim, pid, started, runner FROM jobs
  WHERE state = 'running' AND runner <> ? ORDER BY jid`;
const OWNED = `SELECT jid, claim FROM jobs JOIN json_each(:keys) AS key
  ON jid = key.value ->> 0 AND claim = key.value ->> 1 WHERE runner = :host AND state IN ('running', 'dead')`;
const RUNNING_ON = `SELECT ${JOB_COLUMNS}, claim, boot, journal FROM jobs WHERE state = 'running' AND runner = ? ORDER BY jid`;

/** How an attempt ended. At least one of `exit_status`, `signal` and `reason` is set. */
export interface AttemptEnd extends AttemptKey {
  readonly pid: number | null;
  readonly started: string;
  readonly finished: string;
  /** Seconds. */
  readonly elapsed: number | null;
  readonly exit_status: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  /** What the job used and left running. Null or absent if it is unknown. */
  readonly max_rss?: number | null;
  readonly cpu_time?: number | null;
  readonly left_behind?: number | null;
  /** The end was not seen. */
  readonly isLost: boolean;
  /** `rq stop` ended it: a restartable job gets a new attempt. */
  readonly isStopped?: boolean;
  /**
   * Why no process of the job ran. `failed`: this host could not start it. `hung`: its directory did not respond.
   * `shortage`: the host cannot start any job at the moment.
   */
  readonly not_started?: 'failed' | 'hung' | 'shortage' | null;
}

export interface AttemptStart extends AttemptKey {
  readonly pid: number;
  readonly started: string;
}

/** A running job with the boot id of its host and the id of the journal that records the attempt. */
export type ClaimedJobRow = ClaimedJob & { readonly boot: string; readonly journal: string };

/** The values of an end in its row. */
type EndValues = Omit<AttemptEnd, 'isLost' | 'isStopped' | 'not_started'>;

/** Records that an attempt of this host started. Does nothing if the job has another attempt by now. */
export function reportStart(connection: Connection, host: string, { jid, claim, pid, started }: AttemptStart): void {
  connection.run(START, { host, jid, claim, pid, started });
}

/**
 * Records the end of an attempt of this host. False, without a change, if the job has another attempt by now. True also
 * if the end is recorded already. `hostsFor` returns the hosts that feed and may run a job with these `runners`.
 */
export function reportEnd(connection: Connection, host: string, end: AttemptEnd, hostsFor: HostsFor): boolean {
  const { isLost, isStopped = false, not_started = null, ...values } = end;
  const row = openRow(connection, host, end);
  if (row === undefined) return false;
  if (not_started === null) {
    return applyEnd(connection, row, values, { kind: 'end', reason: values.reason, isLost, isStopped });
  }
  if (not_started === 'shortage') return applyEnd(connection, row, values, { kind: 'release' });
  const { runners, failed_starts } = row;
  const { failures, isFinal } = addFailedStart(parseFailedStarts(failed_starts), {
    host,
    reason: values.reason ?? '',
    now: values.finished,
    isHung: not_started === 'hung',
    eligible: hostsFor(typeof runners === 'string' ? runners : null),
  });
  const reason = isFinal ? finalReason(failures, values.reason ?? '') : values.reason;
  if (!applyEnd(connection, row, { ...values, reason }, { kind: 'start failed', isFinal })) return false;
  connection.run(SET_FAILED_STARTS, { jid: end.jid, failed_starts: isFinal ? null : JSON.stringify(failures) });
  return true;
}

/** The hosts that feed and may run a job with these `runners`; null is any host. */
export type HostsFor = (runners: string | null) => readonly string[];

/** Records that the host of a running attempt is lost. False, without a change, if the attempt is not running. */
export function reportLost(connection: Connection, attempt: RunningAttemptRow, reason: string, now: string): boolean {
  const { runner, ...started } = attempt;
  const end = { ...started, ...UNKNOWN_END, finished: now, reason };
  return applyEnd(connection, openRow(connection, runner, attempt), end, { kind: 'host lost' });
}

/** Requeues a job whose attempt never started. False, without a change, if it has another attempt by now. */
export function releaseJob(connection: Connection, host: string, { jid, claim }: AttemptKey, now: string): boolean {
  const times = { pid: null, started: now, finished: now };
  const end = { jid, claim, ...times, ...UNKNOWN_END, reason: null };
  return applyEnd(connection, openRow(connection, host, end), end, { kind: 'release' });
}

const UNKNOWN_END = { elapsed: null, exit_status: null, signal: null };
const UNKNOWN_USAGE = { max_rss: null, cpu_time: null, left_behind: null };

/** The row of the job, if the attempt is its latest. */
function openRow(connection: Connection, host: string, { jid, claim }: AttemptKey): Row | undefined {
  return connection.get(STATE, { jid, claim, host });
}

/** Applies an event to the job of the row. */
function applyEnd(connection: Connection, row: Row | undefined, values: EndValues, event: JobEvent): boolean {
  const next = row && nextState(subjectOf(row), event);
  if (row === undefined || next === undefined) return false;
  const end = { ...UNKNOWN_USAGE, ...values, left_behind: values.left_behind || null };
  const { jid } = end;
  const { state, attempt, isLoss = false, reason = end.reason } = next;
  const losses = Number(row['losses']) + Number(isLoss);
  if (attempt === 'ends') {
    const isLost = state === 'dead' && (event.kind === 'host lost' || (event.kind === 'end' && event.isLost));
    connection.run(END, { ...end, state, reason, is_lost: state === 'dead' ? Number(isLost) : null });
  }
  if (attempt === 'becomes earlier') {
    connection.run(KEEP_ATTEMPT, { ...end });
    connection.run(REQUEUE, { jid, state, losses });
  }
  if (attempt === 'never began') connection.run(RELEASE, { jid, state });
  return true;
}

function subjectOf(row: Row): Parameters<typeof nextState>[0] {
  return {
    state: row['state'] as JobState,
    restartable: row['restartable'] === 1,
    losses: Number(row['losses']),
    isLost: row['is_lost'] === 1,
  };
}

/** A running attempt of a host, as the database shows it. */
export interface RunningAttemptRow extends AttemptKey {
  readonly pid: number | null;
  readonly started: string;
  readonly runner: string;
}

/** The running attempts of all hosts except this one. */
export function otherHostsAttempts(connection: Connection, host: string): RunningAttemptRow[] {
  return connection.all(OF_OTHER_HOSTS, [host]) as unknown as RunningAttemptRow[];
}

/** The attempts of a host whose ends would be accepted: their job is running or dead, and has no later attempt. */
export function ownedAttempts(connection: Connection, host: string, keys: readonly AttemptKey[]): AttemptKey[] {
  const pairs = JSON.stringify(keys.map(({ jid, claim }) => [jid, claim]));
  return connection.all(OWNED, { keys: pairs, host }) as unknown as AttemptKey[];
}

/** The jobs that run on a host, as the database shows them. */
export function jobsRunningOn(connection: Connection, host: string): ClaimedJobRow[] {
  return connection.all(RUNNING_ON, [host]).map((row) => jobFromRow(row) as ClaimedJobRow);
}

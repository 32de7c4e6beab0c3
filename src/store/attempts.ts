import { retryPauseMs } from '../job/control/retry-policy.ts';
import type { AttemptKey, ClaimedJob, JobState } from '../job/job.ts';
import { addFailedAttempt, addFailedStart, finalReason, parseFailedStarts } from '../job/placement/failed-starts.ts';
import { type JobEvent, nextState, type Transition } from '../job/transitions.ts';
import type { Connection, Row } from './connection.ts';
import { KILL_COLUMNS, killWishOf } from './control/wishes.ts';
import { ATTEMPT_LIST, CLEAR_CLAIM, END_VALUES, SET_END } from './job-columns.ts';
import { JOB_COLUMNS, jobFromRow } from './job-rows.ts';

const STATE = `SELECT state, restartable, losses, is_lost, runners, failed_starts, retries, tries, retry_on, backoff, ${KILL_COLUMNS}
  FROM jobs WHERE jid = :jid AND claim = :claim AND runner = :host`;
const START = `UPDATE jobs SET pid = :pid, started = :started, devices = :devices, failed_starts = NULL
  WHERE jid = :jid AND claim = :claim AND runner = :host AND state = 'running'`;
const END = `UPDATE jobs SET state = :state, is_lost = :is_lost, ${SET_END} WHERE jid = :jid`;
const KEEP_ATTEMPT = `INSERT INTO earlier_attempts (${ATTEMPT_LIST}) SELECT ${END_VALUES} FROM jobs WHERE jid = :jid`;
const REQUEUE = `UPDATE jobs SET state = :state, losses = :losses, tries = :tries, ${CLEAR_CLAIM} WHERE jid = :jid`;
const RELEASE = `UPDATE jobs SET state = 'pending', attempt = attempt - 1, ${CLEAR_CLAIM} WHERE jid = :jid`;
const END_UNBEGUN = `UPDATE jobs SET state = 'dead', attempt = attempt - 1, ${CLEAR_CLAIM},
  reason = :reason, finished = :finished WHERE jid = :jid`;
const DELAY_RETRY = 'UPDATE jobs SET due = :due, failed_starts = :failed_starts WHERE jid = :jid';
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
  /** The GPUs that it had, comma-separated. Null or absent keeps what its start reported. */
  readonly devices?: string | null;
  /** The end was not seen. */
  readonly isLost: boolean;
  /** `rq stop` ended it: a restartable job gets a new attempt. */
  readonly isStopped?: boolean;
  /** Its processes received the signal of a kill. */
  readonly isKilled?: boolean;
  /** The limit that rq enforced. */
  readonly limit?: 'time' | 'memory' | null;
  /** The job may have retries left. */
  readonly mayRetry?: boolean;
  /**
   * Why no process of the job ran. `failed`: this host could not start it. `hung`: its directory did not respond.
   * `shortage`: the host cannot start any job at the moment.
   */
  readonly not_started?: 'failed' | 'hung' | 'shortage' | null;
}

export interface AttemptStart extends AttemptKey {
  readonly pid: number;
  readonly started: string;
  /** The GPUs that it has, comma-separated. */
  readonly devices?: string | null;
}

/** A running job with the boot id of its host and the id of the journal that records the attempt. */
export type ClaimedJobRow = ClaimedJob & { readonly boot: string; readonly journal: string };

/** The values of an end in its row. */
type EndValues = Omit<AttemptEnd, 'isLost' | 'isStopped' | 'isKilled' | 'limit' | 'mayRetry' | 'not_started'>;

/** What the result of an attempt depends on, besides its job. */
export interface ReportContext {
  /** Returns the hosts that feed and may run a job with these `runners`; null is any host. */
  readonly hostsFor: (runners: string | null) => readonly string[];
  /** The time by the clock of the file server, in ISO 8601. */
  readonly serverNow: string;
}

/** Records that an attempt of this host started. Does nothing if the job has another attempt by now. */
export function reportStart(connection: Connection, host: string, start: AttemptStart): void {
  const { jid, claim, pid, started, devices = null } = start;
  connection.run(START, { host, jid, claim, pid, started, devices });
}

/**
 * Records the end of an attempt of this host. False, without a change, if the job has another attempt by now. True also
 * if the end is recorded already.
 */
export function reportEnd(connection: Connection, host: string, end: AttemptEnd, context: ReportContext): boolean {
  const { isLost, isStopped = false, isKilled = false, limit = null, not_started = null, mayRetry: _, ...values } = end;
  const row = openRow(connection, host, end);
  if (row === undefined) return false;
  if (not_started === 'shortage') return applyEnd(connection, row, values, { kind: 'release' }) !== undefined;
  if (not_started !== null) return reportFailedStart(connection, host, row, { ...values, not_started }, context);
  const { exit_status, signal, reason } = values;
  const event = { kind: 'end', exit_status, signal, reason, limit, isLost, isStopped, isKilled } as const;
  const next = applyEnd(connection, row, values, event);
  if (next?.isRetry) delayRetry(connection, host, row, values, context);
  return next !== undefined;
}

function reportFailedStart(
  connection: Connection,
  host: string,
  row: Row,
  { not_started, ...values }: EndValues & { readonly not_started: 'failed' | 'hung' },
  { hostsFor }: ReportContext,
): boolean {
  const { jid, reason, finished } = values;
  const { failures, isFinal } = addFailedStart(parseFailedStarts(row['failed_starts']), {
    host,
    reason: reason ?? '',
    now: finished,
    isHung: not_started === 'hung',
    eligible: hostsFor(runnersOf(row)),
  });
  const shown = isFinal ? finalReason(failures, reason ?? '') : reason;
  const next = applyEnd(connection, row, { ...values, reason: shown }, { kind: 'start failed', isFinal });
  if (next === undefined) return false;
  const kept = next.state === 'pending' ? JSON.stringify(failures) : null;
  connection.run(SET_FAILED_STARTS, { jid, failed_starts: kept });
  return true;
}

/** The job waits for its backoff. The host that failed it skips it, if another host can try it. */
function delayRetry(
  connection: Connection,
  host: string,
  row: Row,
  { jid, finished, exit_status, signal }: EndValues,
  { hostsFor, serverNow }: ReportContext,
): void {
  const { backoff, tries, failed_starts } = row;
  const pauseMs = retryPauseMs(typeof backoff === 'string' ? backoff : null, Number(tries) + 1, Math.random());
  const failures = addFailedAttempt(parseFailedStarts(failed_starts), {
    host,
    reason: signal ?? `exit status ${exit_status}`,
    now: finished,
    due: shifted(finished, pauseMs),
    eligible: hostsFor(runnersOf(row)),
  });
  connection.run(DELAY_RETRY, { jid, due: shifted(serverNow, pauseMs), failed_starts: JSON.stringify(failures) });
}

function shifted(time: string, ms: number): string {
  return new Date(Date.parse(time) + ms).toISOString();
}

function runnersOf({ runners }: Row): string | null {
  return typeof runners === 'string' ? runners : null;
}

/** Records that the host of a running attempt is lost. False, without a change, if the attempt is not running. */
export function reportLost(connection: Connection, attempt: RunningAttemptRow, reason: string, now: string): boolean {
  const { runner, ...started } = attempt;
  const end = { ...started, ...UNKNOWN_END, finished: now, reason };
  return applyEnd(connection, openRow(connection, runner, attempt), end, { kind: 'host lost', reason }) !== undefined;
}

/** Requeues a job whose attempt never started. False, without a change, if it has another attempt by now. */
export function releaseJob(connection: Connection, host: string, { jid, claim }: AttemptKey, now: string): boolean {
  const times = { pid: null, started: now, finished: now };
  const end = { jid, claim, ...times, ...UNKNOWN_END, reason: null };
  return applyEnd(connection, openRow(connection, host, end), end, { kind: 'release' }) !== undefined;
}

const UNKNOWN_END = { elapsed: null, exit_status: null, signal: null };
const UNKNOWN_USAGE = { max_rss: null, cpu_time: null, left_behind: null };

/** The row of the job, if the attempt is its latest. */
function openRow(connection: Connection, host: string, { jid, claim }: AttemptKey): Row | undefined {
  return connection.get(STATE, { jid, claim, host });
}

/** Applies an event to the job of the row. Undefined, without a change, if the event does not apply. */
function applyEnd(
  connection: Connection,
  row: Row | undefined,
  values: EndValues,
  event: JobEvent,
): Transition | undefined {
  const next = row && nextState(subjectOf(row), event);
  if (row === undefined || next === undefined) return undefined;
  const end = { ...UNKNOWN_USAGE, devices: null, ...values, left_behind: values.left_behind || null };
  const { jid, finished } = end;
  const { state, attempt, isLoss = false, isRetry = false, reason = end.reason } = next;
  if (attempt === 'ends') {
    const isLost = state === 'dead' && (event.kind === 'host lost' || (event.kind === 'end' && event.isLost));
    connection.run(END, { ...end, state, reason, is_lost: state === 'dead' ? Number(isLost) : null });
  }
  if (attempt === 'becomes earlier') {
    connection.run(KEEP_ATTEMPT, { ...end });
    const losses = Number(row['losses']) + Number(isLoss);
    connection.run(REQUEUE, { jid, state, losses, tries: Number(row['tries']) + Number(isRetry) });
  }
  if (attempt === 'never began') {
    if (state === 'dead') connection.run(END_UNBEGUN, { jid, reason, finished });
    else connection.run(RELEASE, { jid });
  }
  return next;
}

function subjectOf(row: Row): Parameters<typeof nextState>[0] {
  const { retry_on } = row;
  return {
    state: row['state'] as JobState,
    restartable: row['restartable'] === 1,
    losses: Number(row['losses']),
    isLost: row['is_lost'] === 1,
    kill: killWishOf(row),
    retries: Number(row['retries']),
    tries: Number(row['tries']),
    retryOn: typeof retry_on === 'string' ? retry_on : null,
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

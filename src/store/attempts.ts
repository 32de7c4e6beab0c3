import type { AttemptKey, ClaimedJob, JobState } from '../job/job.ts';
import { type JobEvent, nextState } from '../job/transitions.ts';
import type { Connection } from './connection.ts';
import { ATTEMPT_LIST, CLEAR_CLAIM, END_VALUES, SET_END } from './job-columns.ts';
import { JOB_COLUMNS, jobFromRow } from './job-rows.ts';

const STATE = 'SELECT state, restartable FROM jobs WHERE jid = :jid AND claim = :claim AND runner = :host';
const START = `UPDATE jobs SET pid = :pid, started = :started
  WHERE jid = :jid AND claim = :claim AND runner = :host AND state = 'running'`;
const END = `UPDATE jobs SET state = :state, ${SET_END} WHERE jid = :jid`;
const KEEP_ATTEMPT = `INSERT INTO earlier_attempts (${ATTEMPT_LIST}) SELECT ${END_VALUES} FROM jobs WHERE jid = :jid`;
const REQUEUE = `UPDATE jobs SET state = :state, ${CLEAR_CLAIM} WHERE jid = :jid`;
const RELEASE = `UPDATE jobs SET state = :state, attempt = attempt - 1, ${CLEAR_CLAIM} WHERE jid = :jid`;
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
  /** The end was not seen, or rq forced it: a restartable job gets a new attempt. */
  readonly isLost: boolean;
}

export interface AttemptStart extends AttemptKey {
  readonly pid: number;
  readonly started: string;
}

/** A running job with the boot id of its host and the id of the journal that records the attempt. */
export type ClaimedJobRow = ClaimedJob & { readonly boot: string; readonly journal: string };

/** Records that an attempt of this host started. Does nothing if the job has another attempt by now. */
export function reportStart(connection: Connection, host: string, { jid, claim, pid, started }: AttemptStart): void {
  connection.run(START, { host, jid, claim, pid, started });
}

/**
 * Records the end of an attempt of this host. False, without a change, if the job has another attempt by now. True also
 * if the end is recorded already.
 */
export function reportEnd(connection: Connection, host: string, { isLost, ...values }: AttemptEnd): boolean {
  return applyEnd(connection, host, values, { kind: 'end', reason: values.reason, isLost });
}

/** Records that the host of a running attempt is lost. False, without a change, if the attempt is not running. */
export function reportLost(connection: Connection, attempt: RunningAttemptRow, reason: string, now: string): boolean {
  const { runner, ...started } = attempt;
  return applyEnd(connection, runner, { ...started, ...UNKNOWN_END, finished: now, reason }, { kind: 'host lost' });
}

/** Requeues a job whose attempt never started. False, without a change, if it has another attempt by now. */
export function releaseJob(connection: Connection, host: string, { jid, claim }: AttemptKey, now: string): boolean {
  const times = { pid: null, started: now, finished: now };
  return applyEnd(connection, host, { jid, claim, ...times, ...UNKNOWN_END, reason: null }, { kind: 'release' });
}

const UNKNOWN_END = { elapsed: null, exit_status: null, signal: null };

/** Applies an event to the job, if the attempt is its latest. */
function applyEnd(connection: Connection, host: string, end: Omit<AttemptEnd, 'isLost'>, event: JobEvent): boolean {
  const { jid, claim } = end;
  const row = connection.get(STATE, { jid, claim, host });
  const next = row && nextState({ state: row['state'] as JobState, restartable: row['restartable'] === 1 }, event);
  if (next === undefined) return false;
  const { state } = next;
  if (next.attempt === 'ends') connection.run(END, { ...end, state });
  if (next.attempt === 'becomes earlier') {
    connection.run(KEEP_ATTEMPT, { ...end });
    connection.run(REQUEUE, { jid, state });
  }
  if (next.attempt === 'never began') connection.run(RELEASE, { jid, state });
  return true;
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

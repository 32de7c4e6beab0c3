import type { AttemptKey, RunningJob } from '../job/job.ts';
import type { Connection } from './connection.ts';
import { JOB_COLUMNS, jobFromRow } from './job-rows.ts';

const START = `UPDATE jobs SET pid = :pid, started = :started
  WHERE jid = :jid AND attempt = :attempt AND runner = :host AND state = 'running'`;
// A job that was declared dead while its host was away, and that nobody took: what it really came to is the truth, also
// that it was never started.
const END = `UPDATE jobs SET state = :state, pid = coalesce(:pid, pid), started = :started, finished = :finished,
  elapsed = :elapsed, exit_status = :exit_status, signal = :signal, reason = :reason
  WHERE jid = :jid AND attempt = :attempt AND runner = :host AND state IN ('running', 'dead')`;
const IS_RECORDED = "SELECT 1 FROM jobs WHERE jid = ? AND attempt = ? AND runner = ? AND state = 'finished'";
const RECORD = `INSERT INTO earlier_attempts (jid, attempt, runner, pid, started, finished, elapsed, exit_status, signal,
  reason) SELECT jid, attempt, runner, coalesce(:pid, pid), :started, :finished, :elapsed, :exit_status, :signal, :reason
  FROM jobs WHERE jid = :jid AND attempt = :attempt AND runner = :host AND state IN ('running', 'dead')`;
const RETURN = `UPDATE jobs SET state = 'pending', started = NULL, finished = NULL, elapsed = NULL, runner = NULL,
  pid = NULL, exit_status = NULL, signal = NULL, reason = NULL, boot = NULL, journal = NULL
  WHERE jid = :jid AND attempt = :attempt AND runner = :host AND state IN ('running', 'dead')`;
const IS_RESTARTABLE = 'SELECT restartable FROM jobs WHERE jid = ? AND attempt = ?';
const IS_RUNNING = "SELECT 1 FROM jobs WHERE jid = ? AND attempt = ? AND runner = ? AND state = 'running'";
const RUNNING_ELSEWHERE = `SELECT jid, attempt, pid, started, runner FROM jobs
  WHERE state = 'running' AND runner <> ? ORDER BY jid`;
const OWNED = `SELECT jid, attempt FROM jobs JOIN json_each(:keys) AS key
  ON jid = key.value ->> 0 AND attempt = key.value ->> 1 WHERE runner = :host AND state IN ('running', 'dead')`;
const RUNNING_ON = `SELECT ${JOB_COLUMNS}, boot, journal FROM jobs WHERE state = 'running' AND runner = ? ORDER BY jid`;

/** How an attempt ended. Exactly one of `exit_status`, `signal`, `reason` says how; `isLost` if nobody knows. */
export interface AttemptEnd extends AttemptKey {
  readonly pid: number | null;
  readonly started: string;
  readonly finished: string;
  /** Seconds. */
  readonly elapsed: number | null;
  readonly exit_status: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  /** The end was not seen, or was forced on it: a restartable job gets a new attempt. */
  readonly isLost: boolean;
}

export interface AttemptStart extends AttemptKey {
  readonly pid: number;
  readonly started: string;
}

/** A running job with the boot and the journal under which it was claimed. */
export type ClaimedJobRow = RunningJob & { readonly boot: string; readonly journal: string };

/** Records that an attempt of this host's was started; nothing if the job is no longer its. */
export function reportStart(connection: Connection, host: string, start: AttemptStart): void {
  connection.run(START, { host, jid: start.jid, attempt: start.attempt, pid: start.pid, started: start.started });
}

/**
 * Records an attempt's end: the job is finished, dead, or, if restartable and lost, pending again. True also if a
 * feeder recorded it before and was killed before the runner knew. False if the job is no longer this attempt's (it
 * was given away), and then nothing changed.
 */
export function reportEnd(connection: Connection, host: string, end: AttemptEnd): boolean {
  const { isLost, ...values } = end;
  if (isLost && connection.get(IS_RESTARTABLE, [end.jid, end.attempt])?.['restartable'] === 1) {
    return releaseJob(connection, host, end);
  }
  const state = end.reason === null ? 'finished' : 'dead';
  if (connection.run(END, { host, state, ...values }).changes === 1) return true;
  return connection.get(IS_RECORDED, [end.jid, end.attempt, host]) !== undefined;
}

/** Puts a job back to pending and the attempt on record. */
export function releaseJob(connection: Connection, host: string, end: Omit<AttemptEnd, 'isLost'>): boolean {
  const { jid, attempt, pid, started, finished, elapsed, exit_status, signal, reason } = end;
  connection.run(RECORD, { host, jid, attempt, pid, started, finished, elapsed, exit_status, signal, reason });
  return connection.run(RETURN, { host, jid, attempt }).changes === 1;
}

/** An attempt that a host is running, by what the database knows. */
export interface RunningAttemptRow extends AttemptKey {
  readonly pid: number | null;
  readonly started: string;
  readonly runner: string;
}

/** What hosts other than this one are running. */
export function otherHostsAttempts(connection: Connection, host: string): RunningAttemptRow[] {
  return connection.all(RUNNING_ELSEWHERE, [host]) as unknown as RunningAttemptRow[];
}

/** Whether an attempt is still running, by what the database knows. */
export function isRunning(connection: Connection, { jid, attempt, runner }: RunningAttemptRow): boolean {
  return connection.get(IS_RUNNING, [jid, attempt, runner]) !== undefined;
}

/**
 * Those of a host's attempts whose result would be taken: their job is running, or was declared dead and nobody took it.
 */
export function ownedAttempts(connection: Connection, host: string, keys: readonly AttemptKey[]): AttemptKey[] {
  const pairs = JSON.stringify(keys.map(({ jid, attempt }) => [jid, attempt]));
  return connection.all(OWNED, { keys: pairs, host }) as unknown as AttemptKey[];
}

/** Every job that a host is running, by what the database knows. */
export function jobsRunningOn(connection: Connection, host: string): ClaimedJobRow[] {
  return connection
    .all(RUNNING_ON, [host])
    .map(
      (row) => ({ ...jobFromRow(row), boot: String(row['boot']), journal: String(row['journal']) }) as ClaimedJobRow,
    );
}

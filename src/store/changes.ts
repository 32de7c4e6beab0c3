import type { Job } from '../job/job.ts';
import type { Connection } from './connection.ts';
import { JOB_COLUMNS, jobFromRow } from './job-rows.ts';

const REWRITE = `UPDATE jobs SET state = :state, command = :command, priority = :priority, tag = :tag,
  restartable = :restartable, runners = :runners, cwd = :cwd, stdin = :stdin, data = :data
  WHERE jid = :jid AND state IN ('pending', 'holding')`;
const RECORD = `INSERT INTO earlier_attempts (jid, attempt, runner, pid, started, finished, elapsed, exit_status, signal,
  reason) SELECT jid, attempt, runner, pid, started, finished, elapsed, exit_status, signal, reason
  FROM jobs WHERE jid = ? AND state IN ('finished', 'dead')`;
const RETURN = `UPDATE jobs SET state = :state, started = NULL, finished = NULL, elapsed = NULL, runner = NULL,
  pid = NULL, exit_status = NULL, signal = NULL, reason = NULL, boot = NULL, journal = NULL, command = :command,
  priority = :priority, tag = :tag, restartable = :restartable, runners = :runners, cwd = :cwd, stdin = :stdin,
  data = :data WHERE jid = :jid AND state IN ('finished', 'dead')`;
const PENDING_TAGGED = `SELECT ${JOB_COLUMNS} FROM jobs
  WHERE tag = :tag AND state = 'pending' AND command IN (SELECT value FROM json_each(:commands)) ORDER BY jid DESC`;
const PENDING_UNTAGGED = `SELECT ${JOB_COLUMNS} FROM jobs
  WHERE state = 'pending' AND tag IS NULL AND command IN (SELECT value FROM json_each(:commands)) ORDER BY jid DESC`;

/** What may be said of a job that waits, all of it. Paths of files are relative to the queue. */
export interface PendingFields {
  readonly state: 'pending' | 'holding';
  readonly command: string;
  readonly priority: number;
  readonly tag: string | null;
  readonly restartable: boolean;
  readonly runners: string | null;
  readonly cwd: string;
  readonly stdin: string | null;
  readonly data: string | null;
}

/** Gives a pending or holding job new fields; false if it is in another state, and then nothing changed. */
export function updateJob(connection: Connection, jid: number, fields: PendingFields): boolean {
  return connection.run(REWRITE, { ...fields, jid, restartable: fields.restartable ? 1 : 0 }).changes === 1;
}

/** Puts a finished or dead job back to wait, with these fields, and its attempt on record; false in another state. */
export function resubmitJob(connection: Connection, jid: number, fields: PendingFields): boolean {
  connection.run(RECORD, [jid]);
  return connection.run(RETURN, { ...fields, jid, restartable: fields.restartable ? 1 : 0 }).changes === 1;
}

/** For each command the oldest pending job that has it and the tag. */
export function pendingJobsByCommand(
  connection: Connection,
  tag: string | null,
  commands: ReadonlySet<string>,
): Map<string, Job> {
  const parameters = { tag, commands: JSON.stringify([...commands]) };
  const rows = connection.all(tag === null ? PENDING_UNTAGGED : PENDING_TAGGED, parameters);
  return new Map(rows.map((row) => [String(row['command']), jobFromRow(row)]));
}

import type { SubmitterFields } from '../job/columns.ts';
import type { Job } from '../job/job.ts';
import type { Connection } from './connection.ts';
import { ATTEMPT_LIST, CLEAR_CLAIM, SET_SUBMITTER_FIELDS } from './job-columns.ts';
import { boundValues, JOB_COLUMNS, jobFromRow } from './job-rows.ts';

const UPDATE = `UPDATE jobs SET ${SET_SUBMITTER_FIELDS} WHERE jid = :jid AND state IN ('pending', 'holding')`;
const KEEP_ATTEMPT = `INSERT INTO earlier_attempts (${ATTEMPT_LIST}) SELECT ${ATTEMPT_LIST}
  FROM jobs WHERE jid = ? AND state IN ('finished', 'dead')`;
const RESUBMIT = `UPDATE jobs SET ${SET_SUBMITTER_FIELDS}, ${CLEAR_CLAIM}
  WHERE jid = :jid AND state IN ('finished', 'dead')`;
const PENDING_TAGGED = `SELECT ${JOB_COLUMNS} FROM jobs
  WHERE tag = :tag AND state = 'pending' AND command IN (SELECT value FROM json_each(:commands)) ORDER BY jid DESC`;
const PENDING_UNTAGGED = `SELECT ${JOB_COLUMNS} FROM jobs
  WHERE state = 'pending' AND tag IS NULL AND command IN (SELECT value FROM json_each(:commands)) ORDER BY jid DESC`;

/** The fields of a job that waits. `stdin` and `data` are paths relative to the queue. */
export type PendingFields = SubmitterFields & { readonly state: 'pending' | 'holding' };

/** Gives a pending or holding job new fields; false, without a change, for a job in another state. */
export function updateJob(connection: Connection, jid: number, fields: PendingFields): boolean {
  return connection.run(UPDATE, boundValues({ ...fields, jid })).changes === 1;
}

/** Makes a finished or dead job wait again with these fields, and keeps its attempt; false for another state. */
export function resubmitJob(connection: Connection, jid: number, fields: PendingFields): boolean {
  connection.run(KEEP_ATTEMPT, [jid]);
  return connection.run(RESUBMIT, boundValues({ ...fields, jid })).changes === 1;
}

/** The oldest pending job with the tag for each of the commands. */
export function pendingJobsByCommand(
  connection: Connection,
  tag: string | null,
  commands: ReadonlySet<string>,
): Map<string, Job> {
  const parameters = { tag, commands: JSON.stringify([...commands]) };
  const rows = connection.all(tag === null ? PENDING_UNTAGGED : PENDING_TAGGED, parameters);
  return new Map(rows.map((row) => [String(row['command']), jobFromRow(row)]));
}

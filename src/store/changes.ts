import type { SubmitterFields } from '../job/columns.ts';
import type { Job } from '../job/job.ts';
import type { Transition } from '../job/transitions.ts';
import type { Connection } from './connection.ts';
import { ATTEMPT_LIST, CHANGED_COLUMNS, CLEAR_CLAIM, SET_CHANGED } from './job-columns.ts';
import { JOB_COLUMNS, jobFromRow, valuesOf } from './job-rows.ts';

// A changed job is tried again at once.
const UPDATE = `UPDATE jobs SET ${SET_CHANGED}, failed_starts = NULL WHERE jid = ?`;
const KEEP_ATTEMPT = `INSERT INTO earlier_attempts (${ATTEMPT_LIST}) SELECT ${ATTEMPT_LIST} FROM jobs
  WHERE jid = ? AND started IS NOT NULL`;
const REQUEUE = `UPDATE jobs SET ${SET_CHANGED}, failed_starts = NULL, losses = 0, tries = 0, died_of = NULL, paused = NULL,
  kill_by = NULL, kill_at = NULL, kill_reason = NULL, kill_grace = NULL, ${CLEAR_CLAIM} WHERE jid = ?`;
const PENDING_TAGGED = `SELECT ${JOB_COLUMNS} FROM jobs
  WHERE tag = :tag AND state = 'pending' AND command IN (SELECT value FROM json_each(:commands)) ORDER BY jid DESC`;
const PENDING_UNTAGGED = `SELECT ${JOB_COLUMNS} FROM jobs
  WHERE state = 'pending' AND tag IS NULL AND command IN (SELECT value FROM json_each(:commands)) ORDER BY jid DESC`;

/** The fields that a submitter changes. `stdin`, `data` and `script` are paths relative to the queue. */
export type ChangedFields = SubmitterFields & Pick<Transition, 'state'>;

/** Changes the fields of a waiting job. */
export function updateJob(connection: Connection, jid: number, fields: ChangedFields): void {
  connection.run(UPDATE, [...valuesOf(fields, CHANGED_COLUMNS), jid]);
}

/** Requeues an ended job with these fields, and keeps its attempt in the history. */
export function resubmitJob(connection: Connection, jid: number, fields: ChangedFields): void {
  connection.run(KEEP_ATTEMPT, [jid]);
  connection.run(REQUEUE, [...valuesOf(fields, CHANGED_COLUMNS), jid]);
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

import type { Submission } from '../job/job.ts';
import type { Connection } from './connection.ts';
import { insertSql, SUBMISSION_COLUMNS } from './job-columns.ts';
import { valuesOf } from './job-rows.ts';

const LAST_JID = "SELECT coalesce(max(seq), 0) AS jid FROM sqlite_sequence WHERE name = 'jobs'";
const COUNT = 'SELECT count(*) AS jobs FROM jobs';
const INSERT = insertSql('jobs', SUBMISSION_COLUMNS);

/** The highest jid that the queue has used; 0 in a new queue. */
export function lastJid(connection: Connection): number {
  return Number(connection.get(LAST_JID)?.['jid']);
}

export function countJobs(connection: Connection): number {
  return Number(connection.get(COUNT)?.['jobs']);
}

/** Adds a job. Its jid must be above `lastJid`; its `stdin` and `data` are paths relative to the queue. */
export function insertJob(
  connection: Connection,
  jid: number,
  submission: Submission,
  by: { readonly submitted: string; readonly submitter: string; readonly owner: string },
): void {
  const row = { ...submission, ...by, jid, state: submission.stage ? 'holding' : 'pending' };
  connection.run(INSERT, valuesOf(row, SUBMISSION_COLUMNS));
}

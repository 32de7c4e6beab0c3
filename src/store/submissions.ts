import { SUBMITTER_FIELDS } from '../job/columns.ts';
import type { Submission } from '../job/job.ts';
import type { Connection } from './connection.ts';
import { insertSql, RQ_COLUMNS, SUBMISSION_COLUMNS } from './job-columns.ts';
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

/** Adds a job. Its jid must be above `lastJid`; its `stdin`, `data` and `script` are paths relative to the queue. */
export function insertJob(
  connection: Connection,
  jid: number,
  submission: Submission,
  { submitted, submitter, owner }: { readonly submitted: string; readonly submitter: string; readonly owner: string },
): void {
  const own = { jid, state: submission.stage ? 'holding' : 'pending', submitted, submitter, owner };
  connection.run(INSERT, [...valuesOf(own, RQ_COLUMNS), ...valuesOf(submission, SUBMITTER_FIELDS)]);
}

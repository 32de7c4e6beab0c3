import type { Variables } from '../job/columns/variables.ts';
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

/** The shape of a job, and its place in an array and behind its dependencies. */
export interface Place {
  readonly shape: number;
  readonly gate: number | null;
  readonly array: number | null;
  readonly index: number | null;
  readonly for: Variables | null;
}

/** The place of a job that is not in an array and has no dependencies. */
export const ALONE: Omit<Place, 'shape'> = { gate: null, array: null, index: null, for: null };

/** Adds a job. Its jid must be above `lastJid`; its `stdin`, `data` and `script` are paths relative to the queue. */
export function insertJob(
  connection: Connection,
  jid: number,
  submission: Submission,
  by: { readonly submitted: string; readonly submitter: string; readonly owner: string },
  place: Place,
): void {
  const own = { jid, state: submission.stage ? 'holding' : 'pending', ...by, ...place };
  connection.run(INSERT, [...valuesOf(own, RQ_COLUMNS), ...valuesOf(submission, SUBMITTER_FIELDS)]);
}

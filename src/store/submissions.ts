import type { Submission } from '../job/job.ts';
import type { Connection } from './connection.ts';

const LAST_JID = "SELECT coalesce(max(seq), 0) AS jid FROM sqlite_sequence WHERE name = 'jobs'";
const COUNT = 'SELECT count(*) AS jobs FROM jobs';
const INSERT = `INSERT INTO jobs (jid, priority, state, submitted, submitter, owner, tag, restartable, runners, cwd, stdin,
  data, command) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** The highest jid that was ever given to a job; 0 in a new queue. */
export function lastJid(connection: Connection): number {
  return Number(connection.get(LAST_JID)?.['jid']);
}

export function countJobs(connection: Connection): number {
  return Number(connection.get(COUNT)?.['jobs']);
}

/** Adds a job with a jid above `lastJid`; its `stdin` and `data`, if any, are named relative to the queue. */
export function insertJob(
  connection: Connection,
  jid: number,
  submission: Submission,
  by: { readonly submitted: string; readonly submitter: string; readonly owner: string },
): void {
  connection.run(INSERT, [
    jid,
    submission.priority,
    submission.stage ? 'holding' : 'pending',
    by.submitted,
    by.submitter,
    by.owner,
    submission.tag,
    submission.restartable ? 1 : 0,
    submission.runners,
    submission.cwd,
    submission.stdin,
    submission.data,
    submission.command,
  ]);
}

import type { Job } from '../job/job.ts';
import type { Connection } from './connection.ts';
import { JOB_COLUMNS, jobFromRow } from './job-rows.ts';
import type { Page } from './selections.ts';

/**
 * The first jobs after a jid for which an SQL expression is true, in the order of their jids. The expression is the
 * user's own SQL and the connection must be read-only; a newline ends a comment in it. Throws SQLite's own errors.
 */
export function queryPage(connection: Connection, expression: string, page: Page): Job[] {
  const sql = `SELECT ${JOB_COLUMNS} FROM jobs WHERE (${expression}\n) AND jid > ? ORDER BY jid LIMIT ?`;
  connection.prepare(sql);
  // By itself it is no SQL if its parentheses do not balance: such a one would end those around it, and leave the page.
  connection.prepare(`SELECT 1 FROM jobs WHERE ${expression}\n`);
  return connection.all(sql, [page.after, page.limit]).map(jobFromRow);
}

import type { Job } from '../job/job.ts';
import type { Connection } from './connection.ts';
import { JOB_COLUMNS, jobFromRow } from './job-rows.ts';
import type { Page } from './selections.ts';

/**
 * The first jobs after a jid for which an SQL expression of the user is true, by ascending jid. The connection must be
 * read-only. Throws the errors of SQLite.
 */
export function queryPage(connection: Connection, expression: string, page: Page): Job[] {
  // A newline ends a comment in the expression.
  const sql = `SELECT ${JOB_COLUMNS} FROM jobs WHERE (${expression}\n) AND jid > ? ORDER BY jid LIMIT ?`;
  connection.prepare(sql);
  // Refuses unbalanced parentheses, which would close the ones around the expression and disable the limits of the page.
  connection.prepare(`SELECT 1 FROM jobs WHERE ${expression}\n`);
  return connection.all(sql, [page.after, page.limit]).map(jobFromRow);
}

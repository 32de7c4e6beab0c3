import type { Job } from '../job/job.ts';
import type { Connection } from './connection.ts';
import { JOB_COLUMNS, jobFromRow } from './job-rows.ts';
import type { Page } from './selections.ts';
import { sqlTokens } from './times/sql-tokens.ts';
import { withStoredTimes } from './times/times-in-sql.ts';

/**
 * An SQL expression of the user, checked, with times as rq stores them. `now`: the time to which relative times refer.
 * Throws the errors of SQLite, and INVALID_INPUT for a comparison of times that could be wrong.
 */
export function queryCondition(connection: Connection, expression: string, now: string): string {
  const sql = withQuotedIndex(expression);
  connection.prepare(pageSql(sql));
  // Refuses unbalanced parentheses, which would close the ones around the expression and disable the limits of the page.
  connection.prepare(`SELECT 1 FROM jobs WHERE ${sql}\n`);
  return withStoredTimes({ connection, sql, now, attempted: 'cannot query' });
}

/** SQLite reserves the word INDEX, which no condition contains, so that it can only be the field. */
function withQuotedIndex(sql: string): string {
  const words = sqlTokens(sql).filter(({ kind, value }) => kind === 'word' && value === 'INDEX');
  return words.reduceRight((text, { start, end }) => `${text.slice(0, start)}"index"${text.slice(end)}`, sql);
}

/** The first jobs after a jid for which a condition is true, by ascending jid. The connection must be read-only. */
export function queryPage(connection: Connection, condition: string, page: Page): Job[] {
  return connection.all(pageSql(condition), [page.after, page.limit]).map(jobFromRow);
}

function pageSql(condition: string): string {
  // A newline ends a comment in the condition.
  return `SELECT ${JOB_COLUMNS} FROM jobs WHERE (${condition}\n) AND jid > ? ORDER BY jid LIMIT ?`;
}

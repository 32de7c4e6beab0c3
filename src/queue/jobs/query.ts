import { closest } from 'fastest-levenshtein';
import { errorCode, errorMessage, RqError } from '../../job/errors.ts';
import { type Job, STORED_FIELDS } from '../../job/job.ts';
import type { Connection } from '../../store/connection.ts';
import { queryCondition, queryPage } from '../../store/queries.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import type { WaitsFor } from './why/waits-for.ts';

const PAGE_JOBS = 2_000;
const EXAMPLE = `exit_status!=0 and tag='night'`;

/**
 * The jobs for which an SQL expression over the columns of `jobs` is true, by ascending jid, in batches. The database is
 * opened read-only. With `waits`, pending jobs have the field `waits_for`. Throws INVALID_INPUT for wrong SQL.
 */
export async function* queryJobs(queue: Queue, expression: string, waits?: WaitsFor): AsyncGenerator<Job[]> {
  const now = queue.clock.now();
  const condition = await readSql(queue, (connection) => queryCondition(connection, expression, now));
  let after = 0;
  for (;;) {
    const page = { after, limit: PAGE_JOBS };
    const complete = await readSql(queue, (connection) => {
      const found = queryPage(connection, condition, page);
      return waits?.read(connection, found) ?? (() => found);
    });
    const jobs = complete();
    const [first, last] = [jobs[0], jobs.at(-1)];
    if (first === undefined || last === undefined) return;
    if (first.jid <= after) {
      const message = `cannot query: the database returned job ${first.jid} after job ${after}`;
      throw new RqError('QUEUE_DAMAGED', `${message}; run: rq ${queue.directory} recover`);
    }
    yield jobs;
    if (jobs.length < PAGE_JOBS) return;
    after = last.jid;
  }
}

async function readSql<T>(queue: Queue, work: (connection: Connection) => T): Promise<T> {
  try {
    return await read(queue, work);
  } catch (error) {
    throw sqlError(error, 'cannot query', EXAMPLE) ?? error;
  }
}

/** The error for SQL that SQLite rejected, with an example of valid SQL; undefined for any other error. */
export function sqlError(error: unknown, attempted: string, example: string): RqError | undefined {
  const code = errorCode(error) ?? '';
  const isParameterError = error instanceof RangeError || error instanceof TypeError;
  const isSql =
    isParameterError || code === 'SQLITE_ERROR' || /^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG|AUTH|RANGE)/.test(code);
  if (!isSql) return undefined;
  return new RqError('INVALID_INPUT', `${attempted}: ${errorMessage(error)}${sqlHint(errorMessage(error), example)}`, {
    cause: error,
  });
}

function sqlHint(message: string, example: string): string {
  if (message.endsWith('syntax error')) return `; write SQL such as ${example}`;
  const duration = /unrecognized token: "(\d+[dhms])/.exec(message)?.[1];
  if (duration !== undefined) return `; a duration needs single quotes: '-${duration}'`;
  const column = /no such column: "?([^"\s]+)/.exec(message)?.[1];
  if (column === undefined) return '';
  return `; did you mean ${closest(column, [...STORED_FIELDS])}? Text needs single quotes: tag='night'`;
}

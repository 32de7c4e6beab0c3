import { runStatement, type StatementResult } from '../../store/statements.ts';
import type { Queue } from '../open.ts';
import { transaction } from '../transaction/transaction.ts';
import { sqlError } from './query.ts';

const EXAMPLE = 'select state, count(*) from jobs group by state';

/** Runs one SQL statement in a transaction. Throws INVALID_INPUT for SQL that is wrong or not allowed in a queue. */
export async function executeSql(queue: Queue, sql: string): Promise<StatementResult> {
  const now = queue.clock.now();
  try {
    return await transaction(queue, ({ connection }) => runStatement(connection, sql, now));
  } catch (error) {
    throw sqlError(error, 'cannot execute', EXAMPLE) ?? error;
  }
}

import { errorCode } from '../../job/errors.ts';
import { Connection } from '../../store/connection.ts';
import { isLocked } from './transient.ts';

/** Whether SQLite finds the database locked by another process. Does not wait. Throws errors of SQLite. */
export function seesLock(database: string): boolean {
  let connection: Connection | undefined;
  try {
    connection = Connection.open(database, { busyMs: 0 });
    connection.execute('BEGIN IMMEDIATE');
    return false;
  } catch (error) {
    if (!isLocked(errorCode(error) ?? '')) throw error;
    return true;
  } finally {
    connection?.close();
  }
}

import { errorCode } from '../../job/errors.ts';
import { Connection } from '../../store/connection.ts';

/** Whether SQLite sees that another process has locked a database. Throws SQLite's errors, and does not wait. */
export function seesLock(database: string): boolean {
  let connection: Connection | undefined;
  try {
    connection = Connection.open(database, { busyMs: 0 });
    connection.execute('BEGIN IMMEDIATE');
    return false;
  } catch (error) {
    if (errorCode(error)?.startsWith('SQLITE_BUSY') !== true) throw error;
    return true;
  } finally {
    connection?.close();
  }
}

import { errorCode } from '../../job/errors.ts';
import type { Lease } from '../../lease/lease.ts';
import { Connection, mayBeReplaced } from '../../store/connection.ts';
import type { Queue } from '../open.ts';
import { retry } from '../transaction/retry.ts';
import { isLocked } from '../transaction/transient.ts';

/** Short, because the lease is not refreshed during this wait. */
const BUSY_MS = 200;
const RETRY_MS = 100;

/**
 * A connection with a write transaction open, which keeps other writers out and has rolled back what a dead one left;
 * undefined if SQLite cannot open the database. Throws BUSY after the queue's lock timeout, NOT_ALLOWED or IO.
 */
export async function lockDatabase(queue: Queue, lease: Lease): Promise<Connection | undefined> {
  const action = `lock ${queue.database}`;
  const why = `another process is writing; if its host is dead, run: rq ${queue.directory} recover --break-locks`;
  return await retry(queue, { everyMs: RETRY_MS, isTransient: isLocked, action, why }, () => {
    lease.refresh();
    return lockOnce(queue);
  });
}

function lockOnce({ database }: Queue): Connection | undefined {
  let connection: Connection | undefined;
  try {
    connection = Connection.open(database, { busyMs: BUSY_MS });
    connection.execute('BEGIN IMMEDIATE');
    return connection;
  } catch (error) {
    connection?.close();
    const code = errorCode(error) ?? '';
    // A format that it does not know; a file that was cut off.
    if (mayBeReplaced(code) || ['SQLITE_ERROR', 'SQLITE_IOERR_SHORT_READ'].includes(code)) return undefined;
    throw error;
  }
}

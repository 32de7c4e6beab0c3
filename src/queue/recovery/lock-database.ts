import type { OpenWait } from '../../job/activity.ts';
import { errorCode, RqError } from '../../job/errors.ts';
import type { Lease } from '../../lease/lease.ts';
import { Connection, mayBeReplaced, storeError } from '../../store/connection.ts';
import type { Queue } from '../open.ts';
import { waitReason } from '../transaction/transient.ts';

/** Short, because the lease is not refreshed during this wait. */
const BUSY_MS = 200;
const RETRY_MS = 100;

/**
 * A connection with a write transaction open, which keeps other writers out and has rolled back what a dead one left;
 * undefined if SQLite cannot open the database. Throws BUSY after the queue's lock timeout, NOT_ALLOWED or IO.
 */
export async function lockDatabase(queue: Queue, lease: Lease): Promise<Connection | undefined> {
  return await queue.activity.waiting((wait) => lock(queue, lease, wait));
}

async function lock(queue: Queue, lease: Lease, wait: OpenWait): Promise<Connection | undefined> {
  const { clock } = queue;
  const deadlineMs = clock.monotonicMs() + queue.lockTimeoutMs;
  for (;;) {
    let connection: Connection | undefined;
    try {
      connection = Connection.open(queue.database, { busyMs: BUSY_MS });
      connection.execute('BEGIN IMMEDIATE');
      return connection;
    } catch (error) {
      connection?.close();
      const code = errorCode(error) ?? '';
      // A format that it does not know; a file that was cut off.
      if (mayBeReplaced(code) || ['SQLITE_ERROR', 'SQLITE_IOERR_SHORT_READ'].includes(code)) return undefined;
      if (!code.startsWith('SQLITE_BUSY')) throw storeError(error, queue.database);
      if (clock.monotonicMs() >= deadlineMs) throw busy(queue, error);
      wait.for(waitReason(queue.database, error));
    }
    lease.refresh();
    await clock.sleep(RETRY_MS);
  }
}

function busy(queue: Queue, cause: unknown): RqError {
  const { directory, database, lockTimeoutMs } = queue;
  return new RqError(
    'BUSY',
    `cannot lock ${database} within ${(lockTimeoutMs / 1000).toFixed(0)} s: another process is writing; try again, or if its host is dead, run: rq ${directory} recover --break-locks`,
    { cause },
  );
}

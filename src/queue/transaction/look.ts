import { errorCode, errorMessage, RqError } from '../../job/errors.ts';
import { withOpenFile } from '../../job/open-file.ts';
import { Connection, mayBeReplaced } from '../../store/connection.ts';
import { journalModeOf } from '../../store/file-header.ts';
import type { Queue } from '../open.ts';
import { hasDeadWriter, isLocked } from './transient.ts';
import { underLease } from './under-lease.ts';

const RETRY_MS = 50;

/** The result of a look at a database: the value that was read, or the reason why none was. */
export type Look<T> =
  | { readonly kind: 'seen'; readonly seen: T }
  | {
      /**
       * `wal`: SQLite would create a write-ahead log to read the database. `journal`: the journal of a dead writer must be
       * rolled back first. `locked`: for the whole lock timeout. `failed`: the file system returned an error.
       */
      readonly kind: 'wal' | 'journal' | 'locked' | 'damaged' | 'newer' | 'failed';
      readonly why: string;
    };

/**
 * Reads a database as it is, for a diagnosis. Unlike `read`, it never rolls a journal back. It acquires the lease only in
 * a queue with `--locking lease`. Errors of SQLite become a result.
 */
export async function look<T>(queue: Queue, work: (connection: Connection) => T): Promise<Look<T>> {
  try {
    if (queue.locking === 'lease') return await underLease(queue, () => lookOnce(queue, work));
  } catch (error) {
    if (!(error instanceof RqError)) throw error;
    return { kind: error.code === 'BUSY' ? 'locked' : 'failed', why: error.message };
  }
  const { clock } = queue;
  const deadlineMs = clock.monotonicMs() + queue.lockTimeoutMs;
  for (;;) {
    queue.revalidateDirectory();
    const found = lookOnce(queue, work);
    if (found.kind !== 'locked' || clock.monotonicMs() >= deadlineMs) return found;
    await clock.sleep(RETRY_MS);
  }
}

function lookOnce<T>({ database }: Queue, work: (connection: Connection) => T): Look<T> {
  let connection: Connection | undefined;
  try {
    if (hasWriteAheadLog(database)) return { kind: 'wal', why: `${database} has a write-ahead log` };
    connection = Connection.open(database, { readOnly: true, busyMs: 0 });
    connection.execute('BEGIN');
    connection.version();
    return { kind: 'seen', seen: work(connection) };
  } catch (error) {
    return { kind: kindOf(error), why: errorMessage(error) };
  } finally {
    connection?.close();
  }
}

/** Call it before SQLite opens the file: closing this descriptor drops all POSIX locks of the process on the file. */
function hasWriteAheadLog(database: string): boolean {
  return withOpenFile(database, 'r', (file) => journalModeOf(file) === 'wal');
}

function kindOf(error: unknown): Exclude<Look<unknown>['kind'], 'seen' | 'wal'> {
  const code = errorCode(error);
  if (code === undefined) throw error;
  if (code === 'QUEUE_VERSION') return 'newer';
  if (isLocked(code)) return 'locked';
  if (hasDeadWriter(code)) return 'journal';
  const isDamaged = mayBeReplaced(code) || ['QUEUE_DAMAGED', 'SQLITE_ERROR', 'SQLITE_IOERR_SHORT_READ'].includes(code);
  return isDamaged ? 'damaged' : 'failed';
}

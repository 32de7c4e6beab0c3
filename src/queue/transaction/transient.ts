import { errorCode } from '../../job/errors.ts';

/** Whether another process has the lock of SQLite. */
export function isLocked(code: string): boolean {
  return code.startsWith('SQLITE_BUSY');
}

/** Whether a writer died and left a journal, which a read-only connection cannot roll back. */
export function hasDeadWriter(code: string): boolean {
  return code === 'SQLITE_READONLY_ROLLBACK' || code === 'SQLITE_READONLY_RECOVERY';
}

/** Whether an error may not recur: another process has the lock, or the file system failed. */
export function isTransient(code: string): boolean {
  return isLocked(code) || code.startsWith('SQLITE_IOERR') || code === 'EIO' || code === 'ESTALE';
}

/** The reason of the wait after a transient error. */
export function waitReason(database: string, error: unknown): string {
  const code = errorCode(error) ?? '';
  if (isLocked(code)) return `SQLite's lock on ${database}: another process is reading or writing`;
  return `the file system of ${database} failed (${code || 'unknown error'})`;
}

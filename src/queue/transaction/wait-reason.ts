import { errorCode } from '../../job/errors.ts';

/** What is waited for after an error of SQLite's that passes: another process, or a file system that fails. */
export function waitReason(database: string, error: unknown): string {
  const code = errorCode(error) ?? '';
  if (code.startsWith('SQLITE_BUSY')) return `SQLite's lock of ${database}: another process reads or writes`;
  return `the file system of ${database} to work again (${code || 'it failed'})`;
}

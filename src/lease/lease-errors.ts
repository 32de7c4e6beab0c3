import { errorCode, RqError } from '../job/errors.ts';
import { fileError } from '../job/file-errors.ts';

/** Whether a retry of the acquisition can succeed: the file system does not work well at the moment. */
export function isTransient(error: unknown): boolean {
  return ['EIO', 'ESTALE', 'ETIMEDOUT', 'EAGAIN', 'EINTR'].includes(errorCode(error) ?? '');
}

/** The error after the timeout. `holder` says who holds the lease. */
export function busyError(directory: string, waitedMs: number, holder: string, cause: unknown): RqError {
  const seconds = (waitedMs / 1000).toFixed(1);
  return new RqError(
    'BUSY',
    `cannot acquire the lease of ${directory} within ${seconds} s: ${holder}; try again, or wait longer with --lock-timeout`,
    { cause },
  );
}

/** The error for a failure that a retry cannot fix. */
export function leaseError(directory: string, error: unknown): RqError {
  const action = `acquire the lease of ${directory}`;
  if (!['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return fileError(error, action);
  return new RqError('NO_QUEUE', `cannot ${action}: no such directory`, { cause: error });
}

import { errorCode, errorMessage, RqError } from '../job/errors.ts';

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

/** The error for a failure that a retry cannot fix, with a message for the user. */
export function leaseError(directory: string, error: unknown): RqError {
  const prefix = `cannot acquire the lease of ${directory}`;
  const details = { cause: error, facts: { directory } };
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new RqError('NO_QUEUE', `${prefix}: no such directory`, details);
    case 'EACCES':
    case 'EPERM':
      return new RqError('NOT_ALLOWED', `${prefix}: no permission to write to it; ask its owner`, details);
    case 'EROFS':
      return new RqError('NOT_ALLOWED', `${prefix}: it is mounted read-only`, details);
    case 'ENOSPC':
    case 'EDQUOT':
      return new RqError(
        'NO_SPACE',
        `${prefix}: the disk or your quota is full; free some space and try again`,
        details,
      );
    default:
      return new RqError('IO', `${prefix}: ${errorMessage(error)}`, details);
  }
}

import { errorCode, errorMessage, RqError } from '../job/errors.ts';

/** An error of the file system that ends a feeder, in words for people; others as they are. */
export function feedFault(error: unknown, queueDirectory: string): unknown {
  if (error instanceof RqError) return error;
  const attempted = `cannot feed from ${queueDirectory}`;
  const details = { cause: error };
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new RqError('NO_SPACE', `${attempted}: ${placeOf(error)} is full, or your quota is; make room`, details);
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new RqError('NOT_ALLOWED', `${attempted}: ${placeOf(error)} cannot be written to`, details);
    case 'EMFILE':
    case 'ENFILE':
      return new RqError('IO', `${attempted}: too few files may be open; raise the limit with: ulimit -n`, details);
    default:
      return error instanceof Error && 'syscall' in error
        ? new RqError('IO', `${attempted}: ${errorMessage(error)}`, details)
        : error;
  }
}

function placeOf(error: unknown): string {
  return error instanceof Error && 'path' in error ? String(error.path) : 'the disk';
}

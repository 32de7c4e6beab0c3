import { errorCode, errorMessage, RqError } from '../job/errors.ts';

/** Converts a system error that ends a feeder to an RqError. Returns other errors unchanged. */
export function feedError(error: unknown, queueDirectory: string): unknown {
  if (error instanceof RqError) return error;
  const attempted = `cannot feed from ${queueDirectory}`;
  const details = { cause: error };
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new RqError('NO_SPACE', `${attempted}: ${placeOf(error)} or your quota is full; free some space`, details);
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new RqError('NOT_ALLOWED', `${attempted}: ${placeOf(error)} is not writable`, details);
    case 'EMFILE':
    case 'ENFILE':
      return new RqError('IO', `${attempted}: too many open files; raise the limit with: ulimit -n`, details);
    default:
      return error instanceof Error && 'syscall' in error
        ? new RqError('IO', `${attempted}: ${errorMessage(error)}`, details)
        : error;
  }
}

function placeOf(error: unknown): string {
  return error instanceof Error && 'path' in error ? String(error.path) : 'the disk';
}

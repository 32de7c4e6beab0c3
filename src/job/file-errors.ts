import { type ErrorCode, errorCode, errorMessage, RqError } from './errors.ts';

/** Why the file system refused an operation, and what to do, as the end of a message. */
export function fileFault(error: unknown): { readonly code: ErrorCode; readonly reason: string } {
  switch (errorCode(error)) {
    case 'EACCES':
    case 'EPERM':
      return { code: 'NOT_ALLOWED', reason: 'permission denied; ask the owner for access' };
    case 'EROFS':
      return { code: 'NOT_ALLOWED', reason: 'the file system is mounted read-only' };
    case 'ENOSPC':
    case 'EDQUOT':
      return { code: 'NO_SPACE', reason: 'the disk or your quota is full; free some space and try again' };
    case 'EMFILE':
    case 'ENFILE':
      return { code: 'IO', reason: 'too many open files; raise the limit with: ulimit -n' };
    default:
      return { code: 'IO', reason: errorMessage(error) };
  }
}

/** The error for an operation that the file system refused. `action` is a phrase such as `read /q`. */
export function fileError(error: unknown, action: string): RqError {
  const { code, reason } = fileFault(error);
  return new RqError(code, `cannot ${action}: ${reason}`, { cause: error });
}

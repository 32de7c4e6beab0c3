/** Every way in which rq fails on purpose; the command line maps each to an exit status. */
export type ErrorCode =
  | 'USAGE' // the words of the command line are wrong
  | 'INVALID_INPUT' // a value, a file or a document that was handed in is wrong
  | 'NO_QUEUE' // no queue where one was named
  | 'NO_JOB' // nothing matches the selection
  | 'QUEUE_EXISTS'
  | 'QUEUE_VERSION' // made by a newer rq
  | 'QUEUE_DAMAGED'
  | 'QUEUE_UNSAFE' // others may write to it, or its mount has no locks
  | 'NOT_ALLOWED' // permissions of the file system
  | 'BUSY' // the lease or a database lock could not be had in time
  | 'OUTCOME_UNKNOWN' // a commit of which nobody can tell any more
  | 'NO_FEEDER'
  | 'FEEDER_EXISTS'
  | 'HOST_NAME_TAKEN' // by another machine, or another runtime directory, that feeds
  | 'RUNNER' // the sidecar did not start, answer or understand
  | 'JOB_RUNNING' // a running job was named where none may be
  | 'NO_SPACE'
  | 'IO';

/**
 * An error that a user can act on. `message` says in one line what was attempted, on what, and what to do;
 * `cause` and `facts` (path, jid, host …) are for logs.
 */
export class RqError extends Error {
  override readonly name = 'RqError';
  readonly code: ErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: { cause?: unknown; facts?: Record<string, unknown> } = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.facts = details.facts ?? {};
  }
}

/** What Node calls it when a quota is used up (errno 122, asm-generic/errno.h): libuv has no name for that. */
const NAMELESS_EDQUOT = 'Unknown system error -122';

/** The `code` of a system or SQLite error (`ENOENT`, `SQLITE_BUSY`), undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (error.code === NAMELESS_EDQUOT) return 'EDQUOT';
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What an unknown thrown value says, on one line. */
export function errorMessage(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ');
}

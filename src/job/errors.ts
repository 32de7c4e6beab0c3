import { constants } from 'node:os';

/** The kinds of errors that rq reports. The command line maps each to an exit status. */
export type ErrorCode =
  | 'USAGE' // the command line is wrong
  | 'INVALID_INPUT' // a value, a file or a document of the user is wrong
  | 'NO_QUEUE' // there is no queue at the path
  | 'NO_JOB' // nothing matches the selection
  | 'QUEUE_EXISTS'
  | 'QUEUE_VERSION' // the schema is newer than that of this rq
  | 'QUEUE_OUTDATED' // the schema is older, and only `upgrade` changes it
  | 'QUEUE_DAMAGED'
  | 'QUEUE_UNSAFE' // others may write to it, or its mount has no locks
  | 'NOT_ALLOWED' // permissions of the file system
  | 'BUSY' // the lease or a lock of the database was not free in time
  | 'OUTCOME_UNKNOWN' // whether a commit succeeded cannot be determined
  | 'NO_FEEDER'
  | 'FEEDER_EXISTS'
  | 'HOST_NAME_TAKEN' // another machine, or another runtime directory, feeds under this name
  | 'RUNNER' // the runner did not start, did not answer, or sent an invalid message
  | 'JOB_RUNNING' // the command does not accept running jobs
  | 'JOB_NEEDED' // pending jobs depend on it
  | 'NO_SPACE'
  | 'IO';

/**
 * An error that a user can act on. `message` states in one line what was attempted, on what, and what to do. `cause` and
 * `facts` (path, jid, host) are for logs.
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

/** Node's code for an error for which libuv has no name, such as ESTALE, EDQUOT and ENOLCK (libuv 1.46, uv.h). */
const NAMELESS = /Unknown system error -(\d+)/g;
const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** The `code` of a system or SQLite error (`ENOENT`, `SQLITE_BUSY`), undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? withNames(error.code) : undefined;
}

/** The message of any thrown value, on one line. */
export function errorMessage(error: unknown): string {
  return withNames(error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ');
}

function withNames(text: string): string {
  return text.replaceAll(NAMELESS, (unknown, number) => NAMES.get(Number(number)) ?? unknown);
}

import { constants } from 'node:os';
import { type ErrorCode, errorMessage, RqError } from '../../job/errors.ts';

/** The exit statuses of rq; 75 is EX_TEMPFAIL of sysexits.h. */
export const EXIT = { done: 0, failed: 1, usage: 2, missing: 3, busy: 75 } as const;

/** The exit statuses of a wait: the time is over, as for timeout(1); a job did not end by itself. */
export const WAIT_EXIT = { timeout: 124, noStatus: 126 } as const;

/** A shell reports the end by signal N as this status plus N. */
export const SIGNALLED = 128;
const NAMED_SIGNALS: Readonly<Record<string, number>> = constants.signals;
const FIRST_REAL_TIME_SIGNAL = 34;
const UNNAMED_SIGNAL = /^SIG(?:(\d+)|RTMIN(?:\+(\d+))?)$/;

/** The exit status for a signal by its name, as jobs have it; undefined for other text, which a user may write by SQL. */
export function statusOfSignal(name: string): number | undefined {
  const [match, given, above = '0'] = UNNAMED_SIGNAL.exec(name) ?? [];
  const unnamed = given === undefined ? FIRST_REAL_TIME_SIGNAL + Number(above) : Number(given);
  const number = match === undefined ? NAMED_SIGNALS[name] : unnamed;
  return number === undefined ? undefined : SIGNALLED + number;
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  USAGE: EXIT.usage,
  INVALID_INPUT: EXIT.usage,
  NO_QUEUE: EXIT.missing,
  NO_JOB: EXIT.missing,
  QUEUE_EXISTS: EXIT.failed,
  QUEUE_VERSION: EXIT.failed,
  QUEUE_OUTDATED: EXIT.failed,
  QUEUE_DAMAGED: EXIT.failed,
  QUEUE_UNSAFE: EXIT.failed,
  NOT_ALLOWED: EXIT.failed,
  BUSY: EXIT.busy,
  OUTCOME_UNKNOWN: EXIT.failed,
  NO_FEEDER: EXIT.failed,
  FEEDER_EXISTS: EXIT.failed,
  HOST_NAME_TAKEN: EXIT.failed,
  RUNNER: EXIT.failed,
  JOB_RUNNING: EXIT.failed,
  JOB_NEEDED: EXIT.failed,
  NO_SPACE: EXIT.failed,
  IO: EXIT.failed,
};

/** The exit status for anything that was thrown. */
export function exitStatus(error: unknown): number {
  return error instanceof RqError ? STATUS[error.code] : EXIT.failed;
}

/** The message for anything that was thrown, in one line. */
export function errorLine(error: unknown): string {
  if (error instanceof RqError) return error.message;
  if (error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd') {
    return 'cannot use the current directory: the directory was removed; change to another directory';
  }
  if (error instanceof Error && 'syscall' in error) return errorMessage(error);
  return `internal error: ${errorMessage(error)}; please report this error with the output of -v4`;
}

/** The lines of the stacks of an error and its causes. */
export function stackLines(error: unknown): string[] {
  const lines: string[] = [];
  let cause = error;
  while (cause instanceof Error && lines.length < 200) {
    lines.push(...(cause.stack ?? String(cause)).split('\n'));
    if (cause instanceof RqError) lines.push(`  facts: ${JSON.stringify(cause.facts)}`);
    cause = cause.cause;
  }
  return lines;
}

import { lstatSync } from 'node:fs';
import { errorCode, RqError } from '../../job/errors.ts';
import type { Queue } from '../open.ts';

/** Errors that can pass. */
const TRANSIENT_ERRORS = new Set(['BUSY', 'IO', 'NO_SPACE', 'OUTCOME_UNKNOWN']);

/** Returns an error of a read that can pass. Throws any other one; NO_QUEUE if the queue was removed meanwhile. */
export function transientError(error: unknown, { directory, database }: Queue): RqError {
  if (isMissing(database)) {
    throw new RqError('NO_QUEUE', `cannot wait for jobs in ${directory}: the queue was moved or removed`, {
      cause: error,
    });
  }
  if (error instanceof RqError && TRANSIENT_ERRORS.has(error.code)) return error;
  throw error;
}

function isMissing(path: string): boolean {
  try {
    lstatSync(path);
    return false;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '');
  }
}

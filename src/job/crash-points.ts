import { closeSync, openSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** Where a process can be made to die, for tests: the moments at which it would do the most harm. */
export const CRASH_POINTS = [
  // Any mode that changes a queue.
  'transaction-begun',
  'transaction-worked',
  'transaction-committed',
  // submit, touch, update, resubmit
  'files-copied',
  'files-placed',
  // delete
  'jobs-deleted',
  // The feeder.
  'claim-worked',
  'claim-committed',
  'job-sent',
  'job-started',
  'end-received',
  'end-committed',
  // The runner.
  'attempt-journaled',
  'attempt-forked',
  'exit-seen',
  'exit-journaled',
  // rotate
  'rotation-made',
  'rotation-filled',
  'rotation-committed',
  'rotation-placed',
  'rotation-files-removed',
  'rotation-finished',
] as const;

const WANTED = process.env['RQ_CRASH_AT'];

export type CrashPoint = (typeof CRASH_POINTS)[number];

/**
 * Kills this process by SIGKILL if `RQ_CRASH_AT` is `POINT:FILE` with this point, and FILE, which is made, is not there:
 * so of all processes that come by, the first dies, and no other.
 */
export function crashAt(point: CrashPoint): void {
  if (WANTED === undefined || !WANTED.startsWith(`${point}:`)) return;
  try {
    closeSync(openSync(WANTED.slice(point.length + 1), 'wx'));
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    throw error;
  }
  process.kill(process.pid, 'SIGKILL');
}

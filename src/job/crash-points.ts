import { closeSync, openSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** The points at which a test can kill a process: the moments at which a crash would do the most harm. */
export const CRASH_POINTS = [
  // Any command that changes a queue.
  'transaction-begun',
  'transaction-executed',
  'transaction-committed',
  // submit, touch, update, resubmit
  'file-staged',
  'files-staged',
  'files-linked',
  // delete
  'jobs-deleted',
  // The feeder.
  'claim-executed',
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
  'limit-journaled',
  'pause-journaled',
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
 * Kills this process with SIGKILL if `RQ_CRASH_AT` is `POINT:FILE` with this point and FILE does not exist. It creates
 * FILE, so that only the first process that reaches the point dies.
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

import { expect, test } from 'vitest';
import { hasFailed, type Outcome } from '../../../src/job/job.ts';

const CASES: readonly (readonly [string, Outcome, boolean])[] = [
  ['pending', { state: 'pending' }, false],
  ['holding', { state: 'holding' }, false],
  ['running', { state: 'running', exit_status: null, signal: null, reason: null }, false],
  ['exit status 0', { state: 'finished', exit_status: 0, signal: null, reason: null }, false],
  ['exit status 0 without the field reason', { state: 'finished', exit_status: 0 }, false],
  ['exit status 1', { state: 'finished', exit_status: 1, signal: null, reason: null }, true],
  ['a signal', { state: 'finished', exit_status: null, signal: 'SIGTERM', reason: null }, true],
  ['exit status 0 at the time limit', { state: 'finished', exit_status: 0, signal: null, reason: 'time limit' }, true],
  ['dead', { state: 'dead', exit_status: null, signal: null, reason: 'lost' }, true],
];

test.each(CASES)('whether a job failed: %s', (_, job, failed) => {
  expect(hasFailed(job)).toBe(failed);
});

import { expect, test } from 'vitest';
import { statusOfEnd } from '../../../src/cli/commands/waiting/job-status.ts';
import type { Outcome } from '../../../src/job/job.ts';

const CASES: readonly (readonly [string, Outcome, number])[] = [
  ['exit status 0', { state: 'finished', exit_status: 0, signal: null }, 0],
  ['exit status 3', { state: 'finished', exit_status: 3, signal: null }, 3],
  ['exit status 255', { state: 'finished', exit_status: 255, signal: null }, 255],
  ['SIGINT', { state: 'finished', exit_status: null, signal: 'SIGINT' }, 130],
  ['SIGKILL', { state: 'finished', exit_status: null, signal: 'SIGKILL' }, 137],
  ['the first real-time signal', { state: 'finished', exit_status: null, signal: 'SIGRTMIN' }, 162],
  ['another real-time signal', { state: 'finished', exit_status: null, signal: 'SIGRTMIN+3' }, 165],
  ['a signal without a name', { state: 'finished', exit_status: null, signal: 'SIG32' }, 160],
  ['text that names no signal', { state: 'finished', exit_status: null, signal: 'SIGNONE' }, 126],
  ['ended by rq, exit status 0', { state: 'finished', exit_status: 0, signal: null, reason: 'time limit of 2h' }, 126],
  ['ended by rq, exit status 4', { state: 'finished', exit_status: 4, signal: null, reason: 'time limit of 2h' }, 4],
  ['ended by rq, SIGTERM', { state: 'finished', exit_status: null, signal: 'SIGTERM', reason: 'killed by ann' }, 143],
  ['dead', { state: 'dead', exit_status: null, signal: null, reason: 'lost' }, 126],
  ['dead with a signal', { state: 'dead', exit_status: null, signal: 'SIGTERM', reason: 'stopped' }, 126],
];

test.each(CASES)('the exit status of a wait for a job with %s', (_, job, status) => {
  expect(statusOfEnd(job)).toBe(status);
});

import { expect, test } from 'vitest';
import { type ObservedState, Reporter } from '../../../src/cli/stall/reporter.ts';

const QUIET: ObservedState = { wait: undefined, operation: undefined, blockedMs: 0 };
const LEASE: ObservedState = { ...QUIET, wait: { reason: 'the lease', sinceMs: 0 } };

/** The seconds at which a line is printed, in ten minutes with two checks per second. */
function reportTimes(observed: (nowMs: number) => ObservedState): number[] {
  const reporter = new Reporter('/q', 10_000, '');
  const times = Array.from({ length: 1200 }, (_, index) => index * 500);
  return times.filter((nowMs) => reporter.line(observed(nowMs), nowMs) !== undefined).map((nowMs) => nowMs / 1000);
}

test('a wait is reported after 10, 30 and 60 seconds, and then each minute', () => {
  const expected = [10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540];
  expect(reportTimes(() => LEASE)).toEqual(expected);
  expect(reportTimes((nowMs) => ({ ...QUIET, blockedMs: nowMs }))).toEqual(expected);
});

test('a thread that is blocked for less than 10 seconds at a time is not reported', () => {
  expect(reportTimes((nowMs) => ({ ...QUIET, operation: 'reading', blockedMs: nowMs % 9000 }))).toEqual([]);
});

test('a report names the resource, the duration and the end of the wait; a blocked thread has precedence over a lock', () => {
  const reporter = new Reporter('/q', 10_000, ' (hint)');
  expect(reporter.line(LEASE, 12_300)).toBe('still waiting after 12 s: the lease (hint)');
  expect(reporter.line(LEASE, 29_000)).toBeUndefined();
  const reading = { ...LEASE, operation: 'reading' };
  expect(reporter.line({ ...reading, blockedMs: 12_000 }, 30_000)).toBeUndefined();
  expect(reporter.line({ ...reading, blockedMs: 30_000 }, 48_000)).toBe(
    'still waiting after 30 s: /q does not answer: reading (hint)',
  );
  expect(reporter.line(QUIET, 50_000)).toBe('continuing after 32 s: /q does not answer: reading');
  expect(reporter.line(QUIET, 50_500)).toBeUndefined();
  expect(reporter.line({ ...QUIET, blockedMs: 10_000 }, 70_000)).toBe(
    'still waiting after 10 s: /q does not answer: using its files (hint)',
  );
});

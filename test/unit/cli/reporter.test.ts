import { expect, test } from 'vitest';
import { Reporter, type Seen } from '../../../src/cli/stall/reporter.ts';

const QUIET: Seen = { lock: undefined, step: undefined, stuckMs: 0 };
const LOCK: Seen = { ...QUIET, lock: { kind: 'lock', what: 'the lease', sinceMs: 0 } };

/** The seconds at which something is said in ten minutes of looks. */
function timesSaid(seen: (nowMs: number) => Seen): number[] {
  const reporter = new Reporter('/q', 10_000, '');
  const times = Array.from({ length: 1200 }, (_, index) => index * 500);
  return times.filter((nowMs) => reporter.look(seen(nowMs), nowMs) !== undefined).map((nowMs) => nowMs / 1000);
}

test('A wait is said after 10, 30 and 60 seconds, and then each minute', () => {
  const expected = [10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540];
  expect(timesSaid(() => LOCK)).toEqual(expected);
  expect(timesSaid((nowMs) => ({ ...QUIET, stuckMs: nowMs }))).toEqual(expected);
});

test('A thread that gets on is never said to wait', () => {
  expect(
    timesSaid((nowMs) => ({ ...QUIET, step: { kind: 'step', what: 'x', sinceMs: 0 }, stuckMs: nowMs % 9000 })),
  ).toEqual([]);
});

test('It says what is waited for, since when, and that it is over; a process that is stuck before a lock', () => {
  const reporter = new Reporter('/q', 10_000, ' (hint)');
  expect(reporter.look(LOCK, 12_300)).toBe('waiting for 12 s already: the lease (hint)');
  expect(reporter.look(LOCK, 29_000)).toBeUndefined();
  const step = { kind: 'step', what: 'reading', sinceMs: 18_000 } as const;
  expect(reporter.look({ ...LOCK, step, stuckMs: 12_000 }, 30_000)).toBeUndefined();
  expect(reporter.look({ ...LOCK, step, stuckMs: 30_000 }, 48_000)).toBe(
    'waiting for 30 s already: /q does not answer: reading (hint)',
  );
  expect(reporter.look(QUIET, 50_000)).toBe('goes on after waiting for 32 s: /q does not answer: reading');
  expect(reporter.look(QUIET, 50_500)).toBeUndefined();
  expect(reporter.look({ ...QUIET, stuckMs: 10_000 }, 70_000)).toBe(
    'waiting for 10 s already: /q does not answer: using its files (hint)',
  );
});

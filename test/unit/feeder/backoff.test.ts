import { expect, test } from 'vitest';
import { BackOff } from '../../../src/feeder/backoff.ts';
import { RqError } from '../../../src/job/errors.ts';

const stale = Object.assign(new Error('stale file handle'), { code: 'ESTALE', syscall: 'open' });
const denied = Object.assign(new Error('permission denied'), { code: 'EACCES', syscall: 'open' });

test('What waiting may mend is tried again, ever later, to a minute', () => {
  const backOff = new BackOff(100);
  const times = [stale, new RqError('BUSY', 'x'), new RqError('RUNNER', 'x'), stale].map((error) =>
    backOff.after(error, false),
  );
  times.forEach((ms, index) => {
    expect(ms).toBeGreaterThanOrEqual(500 * 2 ** index);
    expect(ms).toBeLessThanOrEqual(1_000 * 2 ** index);
  });
  for (let failure = 0; failure < 20; failure++) expect(backOff.after(stale, false)).toBeLessThanOrEqual(60_000);
  backOff.reset();
  expect(backOff.after(stale, false)).toBeLessThanOrEqual(1_000);
});

test('What waiting does not mend is thrown, and what happened too often', () => {
  const backOff = new BackOff(1);
  for (const error of [denied, new RqError('QUEUE_DAMAGED', 'x'), new TypeError('x')]) {
    expect(() => backOff.after(error, false)).toThrow(error);
  }
  backOff.after(stale, false);
  expect(() => backOff.after(stale, false)).toThrow(stale);
});

test('What is hardly worth waiting for is tried a few times more', () => {
  const backOff = new BackOff(100);
  for (let failure = 0; failure < 3; failure++) backOff.after(stale, true);
  expect(() => backOff.after(stale, true)).toThrow(stale);
  expect(backOff.after(stale, false)).toBeGreaterThan(0);
});

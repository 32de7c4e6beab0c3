import { expect, test } from 'vitest';
import { Backoff } from '../../../src/feeder/backoff.ts';
import { RqError } from '../../../src/job/errors.ts';

const stale = Object.assign(new Error('stale file handle'), { code: 'ESTALE', syscall: 'open' });
const denied = Object.assign(new Error('permission denied'), { code: 'EACCES', syscall: 'open' });

test('the delay after transient errors doubles up to one minute, and a success resets it', () => {
  const backoff = new Backoff(100);
  const delays = [stale, new RqError('BUSY', 'x'), new RqError('RUNNER', 'x'), stale].map((error) =>
    backoff.delayMs(error, false),
  );
  delays.forEach((ms, index) => {
    expect(ms).toBeGreaterThanOrEqual(500 * 2 ** index);
    expect(ms).toBeLessThanOrEqual(1_000 * 2 ** index);
  });
  for (let failure = 0; failure < 20; failure++) expect(backoff.delayMs(stale, false)).toBeLessThanOrEqual(60_000);
  backoff.reset();
  expect(backoff.delayMs(stale, false)).toBeLessThanOrEqual(1_000);
});

test('an error that is not transient is thrown, and so is a transient error after too many retries', () => {
  const backoff = new Backoff(1);
  for (const error of [denied, new RqError('QUEUE_DAMAGED', 'x'), new TypeError('x')]) {
    expect(() => backoff.delayMs(error, false)).toThrow(error);
  }
  backoff.delayMs(stale, false);
  expect(() => backoff.delayMs(stale, false)).toThrow(stale);
});

test('a feeder that is ending retries three times', () => {
  const backoff = new Backoff(100);
  for (let failure = 0; failure < 3; failure++) backoff.delayMs(stale, true);
  expect(() => backoff.delayMs(stale, true)).toThrow(stale);
  expect(backoff.delayMs(stale, false)).toBeGreaterThan(0);
});

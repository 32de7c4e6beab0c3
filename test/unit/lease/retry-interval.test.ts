import { expect, test } from 'vitest';
import { RetryInterval } from '../../../src/lease/retry-interval.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const clock = new ManualClock();

/** An interval has a random factor of 0.5 to 1.5. */
function expectAbout(ms: number, wanted: number): void {
  expect(ms).toBeGreaterThanOrEqual(wanted * 0.5);
  expect(ms).toBeLessThanOrEqual(wanted * 1.5);
}

test('the interval grows to a limit while one process holds the lease', () => {
  const interval = new RetryInterval(clock);
  expectAbout(interval.next(7), 4);
  expectAbout(interval.next(7), 6);
  expectAbout(interval.next(7), 9);
  for (let look = 0; look < 30; look++) interval.next(7);
  expectAbout(interval.next(7), 250);
});

test('the interval is one turn while the lease changes hands, however long the wait is', () => {
  const interval = new RetryInterval(clock);
  interval.next(7);
  for (let look = 0; look < 30; look++) interval.next(7);
  clock.pass(60);
  expectAbout(interval.next(10), 20);
  for (let highest = 11; highest < 500; highest++) {
    clock.pass(20);
    expectAbout(interval.next(highest), 20);
  }
});

test('the interval has a lower limit', () => {
  const interval = new RetryInterval(clock);
  interval.next(7);
  clock.pass(1);
  expectAbout(interval.next(1000), 4);
});

import { expect, test } from 'vitest';
import type { Clock } from '../../../src/job/clock.ts';
import { RetryInterval } from '../../../src/lease/retry-interval.ts';

let nowMs = 0;
const clock: Clock = { now: () => '', monotonicMs: () => nowMs, sleep: () => Promise.resolve() };

/** The interval without what is random in it: from half of it to one and a half. */
function about(ms: number): [number, number] {
  return [ms * 0.5, ms * 1.5];
}

function expectAbout(ms: number, wanted: number): void {
  const [least, most] = about(wanted);
  expect(ms).toBeGreaterThanOrEqual(least);
  expect(ms).toBeLessThanOrEqual(most);
}

test('Who waits for one holder looks less and less, to a limit', () => {
  const interval = new RetryInterval(clock);
  expectAbout(interval.next(7), 4);
  expectAbout(interval.next(7), 6);
  expectAbout(interval.next(7), 9);
  for (let look = 0; look < 30; look++) interval.next(7);
  expectAbout(interval.next(7), 250);
});

test('Who waits while the lease goes from hand to hand looks once a turn, however long it has waited', () => {
  const interval = new RetryInterval(clock);
  interval.next(7);
  for (let look = 0; look < 30; look++) interval.next(7);
  nowMs += 60;
  expectAbout(interval.next(10), 20);
  for (let highest = 11; highest < 500; highest++) {
    nowMs += 20;
    expectAbout(interval.next(highest), 20);
  }
});

test('However fast it goes, the server is not asked all the time', () => {
  const interval = new RetryInterval(clock);
  interval.next(7);
  nowMs += 1;
  expectAbout(interval.next(1000), 4);
});

import { beforeEach, expect, test } from 'vitest';
import { Pace } from '../../../src/feeder/pace.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let pace: Pace;

beforeEach(() => {
  clock = new ManualClock();
  pace = new Pace(clock);
});

/** Exchanges that take so long each, one in so many milliseconds, with so many ends. */
function exchange(times: number, everyMs: number, tookMs: number, ends: number): void {
  for (let time = 0; time < times; time++) {
    clock.pass(everyMs);
    pace.exchanged(tookMs, ends);
  }
}

test('Of jobs that take seconds none is claimed ahead', () => {
  exchange(20, 2_000, 10, 1);
  expect(pace.ahead()).toBe(0);
});

test('Of quick jobs as many are claimed ahead as end until the next exchange, and half as many more', () => {
  exchange(20, 110, 10, 66);
  expect(pace.ahead()).toBe(99);
});

test('One exchange is enough to find the pace', () => {
  clock.pass(500);
  pace.exchanged(10, 0);
  exchange(1, 110, 10, 66);
  expect(pace.ahead()).toBe(99);
});

test('There is a limit to what is claimed ahead', () => {
  exchange(20, 110, 10, 5_000);
  expect(pace.ahead()).toBe(512);
});

test('Where nothing has moved for a second, nothing is ahead any more, and that is said once', () => {
  exchange(20, 110, 10, 66);
  pace.moved();
  clock.pass(1_000);
  expect(pace.hasStalled()).toBe(false);
  clock.pass(1);
  expect(pace.hasStalled()).toBe(true);
  expect(pace.ahead()).toBe(0);
  expect(pace.hasStalled()).toBe(false);
});

test('With work at hand results gather, for longer where an exchange takes long; without, others get a turn', () => {
  pace.exchanged(5, 1);
  expect([pace.gatherMs(true), pace.gatherMs(false)]).toEqual([100, 5]);
  pace.exchanged(50, 1);
  expect([pace.gatherMs(true), pace.gatherMs(false)]).toEqual([300, 50]);
  pace.exchanged(900, 1);
  expect([pace.gatherMs(true), pace.gatherMs(false)]).toEqual([1_000, 100]);
});

import { beforeEach, expect, test } from 'vitest';
import { Throughput } from '../../../src/feeder/throughput.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let throughput: Throughput;

beforeEach(() => {
  clock = new ManualClock();
  throughput = new Throughput(clock);
});

/** Records exchanges of `tookMs`, one every `everyMs`, with `ends` ends each. */
function exchange(times: number, everyMs: number, tookMs: number, ends: number): void {
  for (let time = 0; time < times; time++) {
    clock.pass(everyMs);
    throughput.recordExchange(tookMs, ends);
  }
}

test('jobs that take seconds are not claimed ahead', () => {
  exchange(20, 2_000, 10, 1);
  expect(throughput.claimAhead()).toBe(0);
});

test('short jobs are claimed ahead: half as many more as end until the next exchange', () => {
  exchange(20, 110, 10, 66);
  expect(throughput.claimAhead()).toBe(99);
});

test('one exchange with ends suffices to measure the throughput', () => {
  clock.pass(500);
  throughput.recordExchange(10, 0);
  exchange(1, 110, 10, 66);
  expect(throughput.claimAhead()).toBe(99);
});

test('the number of jobs claimed ahead is limited', () => {
  exchange(20, 110, 10, 5_000);
  expect(throughput.claimAhead()).toBe(512);
});

test('after a second without progress no job is claimed ahead, and this is reported once', () => {
  exchange(20, 110, 10, 66);
  throughput.recordProgress();
  clock.pass(1_000);
  expect(throughput.resetIfStalled()).toBe(false);
  clock.pass(1);
  expect(throughput.resetIfStalled()).toBe(true);
  expect(throughput.claimAhead()).toBe(0);
  expect(throughput.resetIfStalled()).toBe(false);
});

test('results accumulate longer where exchanges are slow, and only briefly without jobs left to start', () => {
  throughput.recordExchange(5, 1);
  expect([throughput.gatherMs(true), throughput.gatherMs(false)]).toEqual([100, 5]);
  throughput.recordExchange(50, 1);
  expect([throughput.gatherMs(true), throughput.gatherMs(false)]).toEqual([300, 50]);
  throughput.recordExchange(900, 1);
  expect([throughput.gatherMs(true), throughput.gatherMs(false)]).toEqual([1_000, 100]);
});

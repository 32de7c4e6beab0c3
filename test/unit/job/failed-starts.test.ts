import { expect, test } from 'vitest';
import {
  addFailedStart,
  type FailedStarts,
  finalReason,
  parseFailedStarts,
} from '../../../src/job/placement/failed-starts.ts';

const START_MS = Date.parse('2026-01-01T00:00:00.000Z');
const at = (seconds: number): string => new Date(START_MS + seconds * 1000).toISOString();

/** Adds failed starts, given as `[host, seconds]`, and returns the last result. */
function fail(eligible: readonly string[], ...starts: [host: string, seconds: number][]) {
  let last: ReturnType<typeof addFailedStart> = { failures: {}, isFinal: false };
  for (const [host, seconds] of starts) {
    last = addFailedStart(last.failures, {
      host,
      reason: `no /x on ${host}`,
      now: at(seconds),
      isHung: false,
      eligible,
    });
  }
  return last;
}

const untilOf = ({ failures }: { failures: FailedStarts }): Record<string, string> =>
  Object.fromEntries(Object.entries(failures).map(([host, { until }]) => [host, until]));

test('a host skips a job for ten minutes while another host has not tried it', () => {
  const first = fail(['bad', 'good'], ['bad', 0]);
  expect(first.isFinal).toBe(false);
  expect(untilOf(first)).toEqual({ bad: at(600) });
});

test('where all hosts have failed, each tries again after 30 seconds', () => {
  expect(untilOf(fail(['a', 'b'], ['a', 0], ['b', 5]))).toEqual({ a: at(35), b: at(35) });
  expect(untilOf(fail(['a'], ['a', 0]))).toEqual({ a: at(30) });
});

test('with one host, the third failed start is final, if it is a minute after the first', () => {
  expect(fail(['a'], ['a', 0], ['a', 30], ['a', 60]).isFinal).toBe(true);
  expect(fail(['a'], ['a', 0], ['a', 30]).isFinal).toBe(false);
  expect(fail(['a'], ['a', 0], ['a', 20], ['a', 40]).isFinal).toBe(false);
});

test('with three hosts or more, three of them must have failed', () => {
  const hosts = ['a', 'b', 'c', 'd'];
  expect(fail(hosts, ['a', 0], ['a', 700], ['a', 1400], ['b', 1500]).isFinal).toBe(false);
  expect(fail(hosts, ['a', 0], ['b', 1], ['c', 61]).isFinal).toBe(true);
  const { failures } = fail(hosts, ['a', 0], ['b', 1], ['c', 61]);
  expect(finalReason(failures, 'no /x on c')).toBe('no /x on c (tried on a, b, c)');
});

test('a directory that does not respond makes no job dead', () => {
  let failures: FailedStarts = {};
  for (let minute = 0; minute < 10; minute++) {
    const hung = { host: 'a', reason: 'hung', now: at(minute * 60), isHung: true, eligible: ['a'] };
    const next = addFailedStart(failures, hung);
    expect(next.isFinal).toBe(false);
    failures = next.failures;
  }
  expect(
    addFailedStart(failures, { host: 'a', reason: 'x', now: at(900), isHung: false, eligible: ['a'] }).isFinal,
  ).toBe(false);
});

test('a value that rq did not write counts as no failures', () => {
  expect([null, undefined, 7, '3', 'null'].map(parseFailedStarts)).toEqual(
    [{}, {}, {}, 3, {}].map((value) => (typeof value === 'number' ? {} : value)),
  );
});

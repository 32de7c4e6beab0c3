import { expect, test } from 'vitest';
import { durationMs } from '../../../src/cli/input/duration.ts';

test.each([
  ['0', 0],
  ['90', 90_000],
  ['0.5', 500],
  ['30s', 30_000],
  ['1.5s', 1_500],
  ['5m', 300_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
  ['1h30m', 5_400_000],
  ['1d2h3m4s', 93_784_000],
  ['366d', 31_622_400_000],
])('the duration %s', (text, ms) => {
  expect(durationMs('timeout', text)).toBe(ms);
});

test.each(['', ' ', '5x', '-5', '1h30', '30m1h', '1.5h', 'h', 'inf', '1e3', '367d', '99999999999'])(
  'the text "%s" is not a duration',
  (text) => {
    expect(() => durationMs('timeout', text)).toThrow(/^the option --timeout must be a duration .* not "/);
  },
);

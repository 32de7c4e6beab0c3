import { expect, test } from 'vitest';
import { durationOption } from '../../../src/cli/input/duration-option.ts';
import type { CommandCall } from '../../../src/cli/parse/command-call.ts';

const MAX = 366 * 86_400;

function read(text: string): number | undefined {
  const call = { command: 'wait', options: { text: () => text } } as unknown as CommandCall;
  return durationOption(call, 'timeout', { max: MAX });
}

test.each([
  ['0', 0],
  ['90', 90],
  ['0.5', 0.5],
  ['30s', 30],
  ['1.5s', 1.5],
  ['5m', 300],
  ['2h', 7_200],
  ['1d', 86_400],
  ['1h30m', 5_400],
  ['1d2h3m4s', 93_784],
  ['366d', 31_622_400],
])('the duration %s', (text, seconds) => {
  expect(read(text)).toBe(seconds);
});

test.each(['', ' ', '5x', '-5', '1h30', '30m1h', '1.5h', 'h', 'inf', '1e3', '367d', '99999999999'])(
  'the text "%s" is not a duration',
  (text) => {
    expect(() => read(text)).toThrow(/^cannot wait: --timeout must be a duration .* not "/);
  },
);

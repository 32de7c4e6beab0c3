import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRangeLike, rangeValues } from '../../../../src/cli/input/array/number-range.ts';

test.each([
  ['1..5', ['1', '2', '3', '4', '5']],
  ['0..1:0.25', ['0', '0.25', '0.5', '0.75', '1']],
  ['0.1..0.3:0.1', ['0.1', '0.2', '0.3']],
  ['0..1:0.3', ['0', '0.3', '0.6', '0.9']],
  ['-2..2:2', ['-2', '0', '2']],
  ['-0.5..0.5:0.5', ['-0.5', '0', '0.5']],
  ['0.5..3', ['0.5', '1.5', '2.5']],
  ['5..5', ['5']],
  ['1..2:10', ['1']],
  ['08..11', ['08', '09', '10', '11']],
  ['001..100:99', ['001', '100']],
  ['-01..01', ['-01', '000', '001']],
  ['1.50..1.5', ['1.5']],
  ['9007199254740993..9007199254740995', ['9007199254740993', '9007199254740994', '9007199254740995']],
])('%s has these values', (text, values) => {
  expect(isRangeLike(text)).toBe(true);
  expect(rangeValues(text)).toEqual({ values });
});

test.each([
  ['5..1', 'is reversed'],
  ['1..5:0', 'step that is not above 0'],
  ['1..5:-1', 'step that is not above 0'],
  ['1e-3..1e-1', 'is not a range of numbers'],
  ['.5..1', 'is not a range of numbers'],
  ['+1..5', 'is not a range of numbers'],
  ['1..5:', 'is not a range of numbers'],
  ['1..5:x', 'is not a range of numbers'],
  ['00.5..1', 'is not a range of numbers'],
  ['2026-01-01..2026-01-31', 'is not a range of numbers'],
  ['1..10000001', 'has 10000001 values; a queue can contain at most 10000000 jobs'],
  [`1..${'9'.repeat(200)}`, 'is not a range of numbers'],
])('%s is refused', (text, fault) => {
  expect(isRangeLike(text)).toBe(true);
  expect(rangeValues(text)).toEqual({ fault: expect.stringContaining(fault) });
});

test.each(['a..b', '../data', '..', '1.5', '1...x', 'v1..v2', '5', '1..', 'e..1', '-..5'])(
  '%s is text and no range',
  (text) => {
    expect(isRangeLike(text)).toBe(false);
  },
);

test('decimal numbers are exact: they are those of whole numbers of hundredths', () => {
  const text = (hundredths: number): string => {
    const [whole, rest] = [Math.trunc(Math.abs(hundredths) / 100), Math.abs(hundredths) % 100];
    return `${hundredths < 0 ? '-' : ''}${whole}.${String(rest).padStart(2, '0')}`.replace(/\.?0+$/, '');
  };
  const hundredths = fc.integer({ min: -5000, max: 5000 });
  fc.assert(
    fc.property(hundredths, fc.nat(3000), fc.integer({ min: 1, max: 500 }), (first, more, step) => {
      const expected: string[] = [];
      for (let at = first; at <= first + more; at += step) expected.push(text(at));
      expect(rangeValues(`${text(first)}..${text(first + more)}:${text(step)}`)).toEqual({ values: expected });
    }),
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseIndexes } from '../../../../src/cli/input/array/index-list.ts';

const parse = (text: string): [number[], number | undefined] => {
  const { indexes, atMost } = parseIndexes(text, 'cannot submit');
  return [[...indexes], atMost];
};

test.each([
  ['1-5', [1, 2, 3, 4, 5], undefined],
  ['7', [7], undefined],
  ['0-9:3', [0, 3, 6, 9], undefined],
  ['0-10:3', [0, 3, 6, 9], undefined],
  ['3-3', [3], undefined],
  ['1-3:100', [1], undefined],
  ['5,1-3', [5, 1, 2, 3], undefined],
  ['1-8:2%8,20,30-31', [1, 3, 5, 7, 20, 30, 31], 8],
  ['1,2%1', [1, 2], 1],
  ['1000000000', [1_000_000_000], undefined],
  ['001-003', [1, 2, 3], undefined],
  ['1-2%1000000', [1, 2], 1_000_000],
])('--array %s', (text, indexes, atMost) => {
  expect(parse(text)).toEqual([indexes, atMost]);
});

test.each([
  ['x', 'must be indexes and ranges, such as 1-100, 0-90:10 or 1,5,7-9, and %N for at most N at once, not "x"'],
  ['', 'must be indexes'],
  ['1,', 'must be indexes and ranges'],
  ['-5', 'not "-5"'],
  ['1-', 'not "1-"'],
  ['1:2', 'not "1:2"'],
  ['1..5', 'not "1..5"'],
  ['1 - 5', 'not "1 - 5"'],
  ['1.5', 'not "1.5"'],
  ['%5', 'not "%5"'],
  ['5-1', 'contains the reversed range 5-1; give 1-5'],
  ['1-5:0', 'contains the step 0 in 1-5:0; the lowest step is 1'],
  ['1000000001', 'contains the index 1000000001; the highest index is 1000000000'],
  ['0-99999999999999999999', 'the highest index is 1000000000'],
  ['1-10000001', 'has 10000001 indexes; a queue can contain at most 10000000 jobs'],
  ['1-9999999,20000000-20000001', 'has 10000001 indexes'],
  ['1-5,3', 'contains the index 3 more than once'],
  ['0-10:5,0-10:2', 'contains the index 0 more than once'],
  ['1%0', 'contains %0; the limit must be a whole number from 1 to 1000000'],
  ['1%1000001', 'contains %1000001'],
  ['1%2,2%2', 'has more than one %N; the limit applies to the whole array: give one'],
])('--array %j is refused', (text, message) => {
  expect(() => parse(text)).toThrow(/^cannot submit: --array /);
  expect(() => parse(text)).toThrow(message);
});

test('the largest array is accepted, and its indexes are its own memory', () => {
  const { indexes } = parseIndexes('1-10000000', 'cannot submit');
  expect([indexes.length, indexes.byteLength, indexes.at(-1)]).toEqual([10_000_000, 40_000_000, 10_000_000]);
});

test('the indexes are those of a list that is expanded naively, or a duplicate is named', () => {
  const range = fc.tuple(fc.nat(60), fc.nat(20), fc.integer({ min: 1, max: 7 }));
  fc.assert(
    fc.property(fc.array(range, { minLength: 1, maxLength: 4 }), (ranges) => {
      const text = ranges.map(([first, more, step]) => `${first}-${first + more}:${step}`).join(',');
      const naive: number[] = [];
      for (const [first, more, step] of ranges) for (let at = first; at <= first + more; at += step) naive.push(at);
      const hasTwice = new Set(naive).size < naive.length;
      if (hasTwice) expect(() => parse(text)).toThrow(/contains the index \d+ more than once/);
      else expect(parse(text)).toEqual([naive, undefined]);
    }),
  );
});

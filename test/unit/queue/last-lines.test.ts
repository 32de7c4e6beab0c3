import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lastLinesStart } from '../../../src/queue/follow/last-lines.ts';

/** The offset of the last lines, found by reading backwards. */
function startIn(text: Buffer, count: number): number {
  return lastLinesStart((position, length) => text.subarray(position, position + length), text.length, count);
}

test.each([
  ['', 3, ''],
  ['a', 1, 'a'],
  ['a\n', 1, 'a\n'],
  ['a\nb', 1, 'b'],
  ['a\nb\n', 1, 'b\n'],
  ['a\nb\n', 9, 'a\nb\n'],
  ['a\n\n\n', 2, '\n\n'],
  ['\n', 1, '\n'],
  ['a\nb\n', 0, ''],
])('the last lines of %j, %i of them, are %j', (text, count, last) => {
  expect(text.slice(startIn(Buffer.from(text), count))).toBe(last);
});

test('the last lines are the same as those found by splitting at newlines, also across blocks', () => {
  const piece = fc.oneof(
    fc.constant('\n'),
    fc.nat({ max: 70_000 }).map((length) => 'x'.repeat(length)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 8 }), (pieces, count) => {
      const text = pieces.join('');
      const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
      expect(text.slice(startIn(Buffer.from(text), count)) === lines.slice(-count).join('')).toBe(true);
    }),
    { numRuns: 200 },
  );
});

import { expect, test } from 'vitest';
import { isMarked, newBoard, readWait } from '../../../src/job/wait-board.ts';
import { sayChanged, showWaits, step, waitForEver, withLockWait } from '../../../src/job/waits.ts';

test('The board shows the innermost step, and a lock wait with the time of the outermost', async () => {
  const board = newBoard();
  showWaits(board);
  const shown = (): (string | undefined)[] => [readWait(board, 'step')?.what, readWait(board, 'lock')?.what];
  const result = await withLockWait(async (outer) => {
    expect(shown()).toEqual([undefined, undefined]);
    outer.say('first');
    const sinceMs = readWait(board, 'lock')?.sinceMs;
    await withLockWait(async (inner) => {
      inner.say('second');
      inner.say('second, by another');
      expect(readWait(board, 'lock')).toEqual({ kind: 'lock', what: 'second, by another', sinceMs });
      step('changing', () => {
        expect(step('committing', shown)).toEqual(['committing', 'second, by another']);
        expect(shown()).toEqual(['changing', 'second, by another']);
      });
    });
    expect(shown()).toEqual([undefined, 'first']);
    return 7;
  });
  expect(result).toBe(7);
  expect(shown()).toEqual([undefined, undefined]);
});

test('A step that throws is over, and text that is too long is cut off', () => {
  const board = newBoard();
  showWaits(board);
  expect(() =>
    step('x'.repeat(5000), () => {
      expect(readWait(board, 'step')?.what).toMatch(/^x{900,1024}$/);
      throw new Error('it failed');
    }),
  ).toThrow('it failed');
  expect(readWait(board, 'step')).toBeUndefined();
});

test('Patience without end is on the board, and that a change is done or may be', () => {
  const board = newBoard();
  sayChanged(true);
  showWaits(board);
  const marks = (): boolean[] => [isMarked(board, 'endless'), isMarked(board, 'changed')];
  expect(marks()).toEqual([false, true]);
  sayChanged(false);
  waitForEver();
  expect(marks()).toEqual([true, false]);
});

import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteCommand, quoteWord, splitWords } from '../../../src/cli/parse/shell-words.ts';

const HOSTILE = [
  '',
  ' ',
  "'",
  '"',
  '$HOME',
  '`id`',
  '\\',
  '!',
  '*',
  '~',
  '#a',
  'a b',
  '\n',
  '-n',
  '{a,b}',
  'a=b',
  '%1',
  ';',
  '&',
];
const anyWord = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
);

/** The words into which bash splits a line. */
function bashWords(line: string): string[] {
  const { stdout, stderr, status } = spawnSync('bash', ['-c', line], { maxBuffer: 1e8, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.split('\0').slice(0, -1);
}

describe('quoting for bash', () => {
  it('preserves any words', () => {
    const printed = fc.array(fc.array(anyWord, { minLength: 1, maxLength: 5 }), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(printed, (lists) => {
        const line = lists.map((words) => quoteCommand(['printf', '%s\\0', ...words])).join('\n');
        expect(bashWords(line)).toEqual(lists.flat());
      }),
      { numRuns: 20 },
    );
  });

  it.each(['if', '!', '{', '[[', 'function', 'a=b', 'PATH=x', 'a+=b'])('makes bash run %j as a program', (name) => {
    const { stderr, status } = spawnSync('bash', ['-c', quoteCommand([name, 'x'])], { encoding: 'utf8' });
    expect(status).toBe(127);
    expect(stderr).toContain('command not found');
  });

  it('leaves plain words unquoted', () => {
    expect(quoteCommand(['python', 'train.py', '--epochs=10', '/a/b', 'x y'])).toBe(
      "python train.py --epochs=10 /a/b 'x y'",
    );
  });
});

describe('splitting as a shell does', () => {
  it('returns the same words as bash', () => {
    fc.assert(
      fc.property(fc.array(anyWord, { maxLength: 5 }), (words) => {
        expect(splitWords(words.map(quoteWord).join('  '), 'RQ_OPTS')).toEqual(words);
      }),
    );
  });

  it.each([
    ['a "b c" \'d e\' f\\ g', ['a', 'b c', 'd e', 'f g']],
    ['a"b"\'c\' ""', ['abc', '']],
    ['"a\\"b\\\\c\\d"', ['a"b\\c\\d']],
    ['  ', []],
  ])('splits %j', (text, words) => {
    expect(splitWords(text, 'RQ_OPTS')).toEqual(words);
  });

  it.each(["a 'b", 'a "b', 'a \\'])('refuses %j, in which a quote is not closed', (text) => {
    expect(() => splitWords(text, 'RQ_OPTS')).toThrow(/cannot read RQ_OPTS: the quote/);
  });
});

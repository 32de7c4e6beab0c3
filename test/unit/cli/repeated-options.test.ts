import { describe, expect, test } from 'vitest';
import { readArguments } from '../../../src/cli/parse/arguments.ts';

describe('an option that may be repeated', () => {
  test.each([
    [
      ['--env', 'A', '--env=B=1,C'],
      ['A', 'B=1,C'],
    ],
    [['--env=A=x=y'], ['A=x=y']],
    [[], []],
  ])('%j gives all values in their order', (words, values) => {
    expect(readArguments(['q', 'submit', 'true', ...words], {}).options.list('env')).toEqual(values);
  });

  test('on the command line replaces that of RQ_OPTS', () => {
    const environment = { RQ_OPTS: '--env A --env B' };
    expect(readArguments(['q', 'submit', 'true'], environment).options.list('env')).toEqual(['A', 'B']);
    expect(readArguments(['q', 'submit', 'true', '--env=C'], environment).options.list('env')).toEqual(['C']);
  });

  test('in RQ_OPTS does not make update change the variables or the commands of jobs', () => {
    const { options } = readArguments(['q', 'update', '1', 'tag=x'], { RQ_OPTS: '--env A --replace a b -q' });
    expect([options.list('env'), options.list('replace'), options.flag('quiet')]).toEqual([[], [], true]);
  });

  test('leaves the last value to any other option', () => {
    const { options } = readArguments(['q', 'submit', 'true', '--tag=a', '-tb', '-q', '-q', '-p1', '-p', '2'], {});
    expect([options.text('tag'), options.flag('quiet'), options.number('priority')]).toEqual(['b', true, 2]);
  });
});

describe('an option with two values', () => {
  test.each([
    [['42', '--replace', 'a', 'b'], ['a', 'b'], ['42']],
    [['--replace=a', 'b', '42'], ['a', 'b'], ['42']],
    [['--replace', '--lr=0.1', '--lr=0.2', '42'], ['--lr=0.1', '--lr=0.2'], ['42']],
    [['--replace', '-n 5', '', '42'], ['-n 5', ''], ['42']],
    [['42', '--replace', 'a', 'b', '--replace', 'b', 'c d'], ['a', 'b', 'b', 'c d'], ['42']],
    [['42', '--replace', 'a=b', 'c=d', '-q'], ['a=b', 'c=d'], ['42']],
  ])('%j gives %j', (words, values, positionals) => {
    const read = readArguments(['q', 'update', ...words], {});
    expect([read.options.list('replace'), read.positionals]).toEqual([values, positionals]);
  });

  test.each([
    [['42', '--replace', 'a']],
    [['42', '--replace', 'a', '--quiet']],
    [['42', '--replace', 'a', '--replace', 'b', 'c']],
    [['42', '--replace=a', '--', 'b']],
  ])('%j lacks a value', (words) => {
    expect(() => readArguments(['q', 'update', ...words], {})).toThrow(
      'the option --replace needs two values: OLD NEW',
    );
  });
});

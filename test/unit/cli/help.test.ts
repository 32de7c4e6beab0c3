import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { helpText, overview } from '../../../src/cli/help/help.ts';
import { manPage } from '../../../src/cli/help/man.ts';
import { quickAnswer } from '../../../src/cli/help/quick-answer.ts';
import { readArguments } from '../../../src/cli/parse/arguments.ts';
import { COMMANDS, optionsOf } from '../../../src/cli/parse/command-table.ts';
import { splitWords } from '../../../src/cli/parse/shell-words.ts';

describe('the table of commands', () => {
  it('uses every name and short form once', () => {
    const names = COMMANDS.flatMap(({ name, short }) => [name, ...short]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('has two to four examples for each command, and each is a call that rq understands', () => {
    for (const { name, examples } of COMMANDS) {
      expect(examples.length, name).toBeGreaterThanOrEqual(2);
      expect(examples.length, name).toBeLessThanOrEqual(4);
      for (const { type } of examples) {
        const call = /rq ([^|<>)]*)/.exec(type.replaceAll(/'[^']*'/g, 'quoted'))?.[1]?.replaceAll('"', '') ?? '';
        const words = splitWords(call, 'an example');
        expect(call, type).not.toBe('');
        if (words[0] !== '--version') expect(() => readArguments(words, {}), type).not.toThrow();
      }
    }
  });
});

describe('help', () => {
  it('of a command names all its options, in lines of a terminal', async () => {
    for (const command of COMMANDS) {
      const text = await helpText(COMMANDS, command.name);
      for (const { name } of optionsOf(command)) expect(text).toContain(`--${name}`);
      const prose = text.split('\n').filter((line) => !line.startsWith('  '));
      expect(prose.filter((line) => line.length > 80)).toEqual([]);
    }
  });

  it('lists every command', () => {
    for (const { name } of COMMANDS) expect(overview(COMMANDS)).toContain(`  ${name}`);
  });

  it('says of rq alone what to type first, in calls that rq understands', async () => {
    const lines = ((await quickAnswer([])) ?? '').split('\n').filter((line) => line.startsWith('  rq '));
    const calls = lines.map((line) => splitWords(line.trim().split(/ {2,}/)[0] ?? '', 'the greeting').slice(1));
    expect(calls.map((words) => readArguments(words, {}).command.name)).toEqual([
      'create',
      'feed',
      'submit',
      'list',
      'stdout',
    ]);
  });

  it('of an unknown command names the nearest', async () => {
    await expect(helpText(COMMANDS, 'sumbit')).rejects.toThrow('did you mean submit?');
  });

  it.each([
    [[], 'rq ./q create'],
    [['--help'], 'Usage: rq QUEUE COMMAND'],
    [['help'], 'Usage: rq QUEUE COMMAND'],
    [['help', 's'], 'rq submit - '],
    [['submit', '--help'], 'rq submit - '],
    [['q', 'submit', '-h'], 'rq submit - '],
    [['--version'], 'rq development'],
    [['version'], 'rq development'],
  ])('answers %j at once', async (words, text) => {
    expect(await quickAnswer(words)).toContain(text);
  });

  it.each([
    [['q', 'submit', 'df', '-h']],
    [['q', 'submit', '--', '--help']],
    [['q', 'list']],
    [['q', 'submit', 'version']],
  ])('leaves %j to the parser', async (words) => {
    expect(await quickAnswer(words)).toBeUndefined();
  });
});

it('man/rq.1 is what scripts/make-man.mjs makes of the table', () => {
  expect(readFileSync(new URL('../../../man/rq.1', import.meta.url), 'utf8')).toBe(manPage());
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { helpText } from '../../../src/cli/help/help.ts';
import { manPage } from '../../../src/cli/help/man.ts';
import { quickAnswer } from '../../../src/cli/help/quick-answer.ts';
import { readArguments } from '../../../src/cli/parse/arguments.ts';
import { COMMANDS, optionsOf } from '../../../src/cli/parse/command-table.ts';
import { splitWords } from '../../../src/cli/parse/shell-words.ts';

describe('the command table', () => {
  it('uses every name and short name once', () => {
    const names = COMMANDS.flatMap(({ name, short }) => [name, ...short]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('has a handler for each command', async () => {
    for (const { name, load } of COMMANDS) expect((await load()).run, name).toBeTypeOf('function');
  });

  it('has two to four examples for each command, which rq understands', () => {
    for (const { name, examples } of COMMANDS) {
      expect(examples.length, name).toBeGreaterThanOrEqual(2);
      expect(examples.length, name).toBeLessThanOrEqual(4);
      for (const [line] of examples) {
        const call = /rq ([^|<>)]*)/.exec(line.replaceAll(/'[^']*'/g, 'quoted'))?.[1]?.replaceAll('"', '') ?? '';
        const words = splitWords(call, 'an example');
        expect(call, line).not.toBe('');
        if (words[0] !== '--version') expect(() => readArguments(words, {}), line).not.toThrow();
      }
    }
  });
});

describe('help', () => {
  it('of a command has its usage, options and examples, in lines of a terminal', async () => {
    for (const command of COMMANDS) {
      const text = await helpText(COMMANDS, command.name);
      expect(text).toContain(`Usage: rq ${command.queue === 'none' ? '' : 'QUEUE '}${command.name}`);
      for (const { name } of optionsOf(command)) expect(text).toContain(`--${name}`);
      for (const [line] of command.examples) expect(text).toContain(`  ${line}\n`);
      expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    }
  });

  it('lists every command', async () => {
    const text = await helpText(COMMANDS, undefined);
    for (const { name, summary } of COMMANDS) expect(text).toMatch(new RegExp(`^  ${name} +${summary}`, 'm'));
  });

  it('of rq without arguments shows the first calls, which rq understands', () => {
    const lines = (quickAnswer([]) ?? '').split('\n').filter((line) => line.startsWith('  rq '));
    const calls = lines.map((line) => splitWords(line.trim().split(/ {2,}/)[0] ?? '', 'the greeting').slice(1));
    expect(calls.map((words) => readArguments(words, {}).command.name)).toEqual([
      'create',
      'feed',
      'submit',
      'list',
      'stdout',
    ]);
  });

  it('of an unknown command names the nearest one', async () => {
    await expect(helpText(COMMANDS, 'sumbit')).rejects.toThrow('unknown command "sumbit"; did you mean submit?');
  });

  it('needs no queue', () => {
    for (const words of [['--help'], ['submit', '--help'], ['s', '-h'], ['q', 'submit', '-h']]) {
      expect(readArguments(words, {}).options.flag('help')).toBe(true);
    }
    expect(readArguments(['--help'], {}).command.name).toBe('help');
    expect(readArguments(['s', '-h'], {}).command.name).toBe('submit');
  });

  it('and the version are answered at once', () => {
    expect(quickAnswer([])).toContain('rq ./q create');
    expect(quickAnswer(['--version'])).toContain('rq development');
    expect(quickAnswer(['version'])).toContain('rq development');
    for (const words of [
      ['q', 'submit', '--', '--version'],
      ['q', 'list'],
      ['version', 'x'],
    ]) {
      expect(quickAnswer(words)).toBeUndefined();
    }
  });
});

it('man/rq.1 is generated from the command table', () => {
  expect(readFileSync(new URL('../../../man/rq.1', import.meta.url), 'utf8')).toBe(manPage());
});

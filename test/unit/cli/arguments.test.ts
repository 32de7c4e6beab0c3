import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuseInvalidBytes } from '../../../src/cli/parse/argument-bytes.ts';
import { readArguments } from '../../../src/cli/parse/arguments.ts';
import { COMMANDS, optionsOf } from '../../../src/cli/parse/command-table.ts';
import { readOrExplain } from '../../../src/cli/parse/read-call.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'rq-arguments-'));
  mkdirSync(join(directory, 's'));
  writeFileSync(join(directory, 's', 'db'), '');
  process.chdir(directory);
});
afterAll(() => {
  process.chdir('/');
  rmSync(directory, { recursive: true });
});

function read(
  words: string,
  environment: NodeJS.ProcessEnv = {},
): { command: string; queue: string; words: readonly string[] } {
  return readWords(
    words.split(' ').filter((word) => word !== ''),
    environment,
  );
}

function readWords(words: string[], environment: NodeJS.ProcessEnv = {}): ReturnType<typeof read> {
  const { command, queue, positionals: rest } = readArguments(words, environment);
  return { command: command.name, queue, words: rest };
}

function options(words: string, environment: NodeJS.ProcessEnv = {}): ReturnType<typeof readArguments>['options'] {
  return readArguments(words.split(' '), environment).options;
}

/** The usage error for a command line. */
async function mistake(words: string, environment: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const list = words.split(' ').filter((word) => word !== '');
  return await readOrExplain(list, environment).catch((error: unknown) => error);
}

describe('queue and command', () => {
  it.each([
    ['q list 42', {}, 'list', 'q', ['42']],
    ['./q ls', {}, 'list', './q', []],
    ['--json q --tag x submit a b', {}, 'submit', 'q', ['a', 'b']],
    ['-l /tmp/log q list', {}, 'list', 'q', []],
    ['list 42', { RQ_Q: '/q' }, 'list', '/q', ['42']],
    ['list 42', { RQ_QUEUE: '/q' }, 'list', '/q', ['42']],
    ['other list 42', { RQ_Q: '/q' }, 'list', 'other', ['42']],
    ['s list', { RQ_Q: '/q' }, 'list', 's', []],
    ['submit list', { RQ_Q: '/q' }, 'submit', '/q', ['list']],
    ['submit s list', { RQ_Q: '/q' }, 'submit', '/q', ['s', 'list']],
    ['s list', {}, 'list', 's', []],
    ['list status', {}, 'status', 'list', []],
    ['help submit', {}, 'help', '', ['submit']],
    ['help', { RQ_Q: '/q' }, 'help', '', []],
    ['q 1 42', {}, 'stdout', 'q', ['42']],
    ['-- q submit -x', {}, 'submit', 'q', ['-x']],
  ])('are read from %j with %j', (words, environment, command, queue, rest) => {
    expect(read(words, environment)).toEqual({ command, queue, words: rest });
  });

  it.each([
    ['list', {}, 'list needs a queue: type rq QUEUE list, or set RQ_Q'],
    ['zz', {}, 'no command specified for the queue zz: type rq zz COMMAND'],
    ['q', {}, 'query needs a queue: type rq QUEUE query'],
    ['q kilo', {}, 'unknown command "kilo"; see: rq help'],
    ['q lisst', {}, 'unknown command "lisst"; did you mean list?'],
    ['lisst', { RQ_Q: 'q' }, 'unknown command "lisst"; did you mean list?'],
    ['lst pending', { RQ_Q: 'q' }, 'unknown command "lst"; did you mean list?'],
    ['submti x', {}, 'unknown command "submti"; did you mean submit? This command needs a queue: type rq QUEUE submit'],
    ['submti', {}, 'unknown command "submti"; did you mean submit? This command needs a queue'],
    ['versoin', {}, 'unknown command "versoin"; did you mean version? See: rq help'],
    ['queue lst', {}, 'unknown command "lst"; did you mean list?'],
    ['s submti', {}, 'unknown command "submti"; did you mean submit?'],
    ['s xyzzyx', {}, 'unknown command "xyzzyx"; see: rq help'],
    ['q ab', {}, 'unknown command "ab"; see: rq help'],
  ])('that are missing in %j with %j are a usage error', async (words, environment, message) => {
    expect(await mistake(words, environment)).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ['q nodes now', 'nodes takes no arguments; see: rq help nodes'],
    ['q stdout', 'stdout needs JID; see: rq help stdout'],
    ['q stdout 1 2', 'stdout takes only JID; see: rq help stdout'],
  ])('refuse %j, which has too few or too many arguments', async (words, message) => {
    expect(await mistake(words)).toMatchObject({ code: 'USAGE', message });
  });

  it('refuse an empty name of a queue', () => {
    expect(() => readWords(['', 'list'])).toThrow('the name of the queue is empty');
  });
});

describe('options', () => {
  it('are the same with - and _, and may stand anywhere before --', () => {
    for (const words of ['q feed --max_feed 4', '--max-feed=4 q feed', 'q --max_feed=4 feed', 'q feed --max-feed 4']) {
      expect(options(words).number('max_feed')).toBe(4);
      expect(options(words).number('max-feed')).toBe(4);
    }
  });

  it('have short names with the value attached, after = or in the next argument', () => {
    for (const words of ['-p-5', '-p -5', '-p=-5', '-qp-5', '--priority -5', '--priority=-5']) {
      expect(options(`q submit ${words} x`).number('priority')).toBe(-5);
    }
    expect(options('q submit -qtnight x').text('tag')).toBe('night');
    expect(options('q submit -qtnight x').flag('quiet')).toBe(true);
  });

  it('do not take an argument as the value of a flag', () => {
    expect(read('q submit --restartable true')).toEqual({ command: 'submit', queue: 'q', words: ['true'] });
    expect(read('q submit -q false x')).toMatchObject({ words: ['false', 'x'] });
    expect(read('q submit --stdin cat')).toMatchObject({ words: ['cat'] });
    expect(read('q submit -s cat')).toMatchObject({ words: ['cat'] });
  });

  it('may have an optional value', () => {
    expect(options('q submit --stdin cat').text('stdin')).toBe('-');
    expect(options('q submit -s cat').text('stdin')).toBe('-');
    expect(options('q submit --stdin=in cat').text('stdin')).toBe('in');
    expect(options('q submit -qs=in cat').text('stdin')).toBe('in');
    expect(options('q submit --stdin=- cat').text('stdin')).toBe('-');
  });

  it('end at --', () => {
    expect(read('q submit -- python train.py --epochs 10 -q --help')).toMatchObject({
      words: ['python', 'train.py', '--epochs', '10', '-q', '--help'],
    });
    expect(readArguments(['q', 'submit', 'a', '--', '-'], {})).toMatchObject({
      positionals: ['a', '-'],
      literalFrom: 1,
    });
    expect(readArguments(['q', 'submit', '-'], {})).toMatchObject({ positionals: ['-'], literalFrom: 1 });
    expect(readArguments(['q', 'submit', '--', '-'], {})).toMatchObject({ positionals: ['-'], literalFrom: 0 });
  });

  it('leave numbers, newlines and unusual arguments unchanged', () => {
    const words = ['echo', '007', '1e3', 'a\nb', '-5', '', '=', 'a=b', 'a.b'];
    expect(readWords(['q', 'submit', ...words]).words).toEqual(words);
    expect(readArguments(['q', 'submit', '--tag', '007', 'x'], {}).options.text('tag')).toBe('007');
  });

  it.each([
    ['q list --jsn', 'list has no option --jsn; did you mean --json?'],
    ['q list --feilds x', 'list has no option --feilds; did you mean --fields?'],
    ['q feed --max-fed 3', 'feed has no option --max-fed; did you mean --max_feed?'],
    ['q list --priority 3', 'list has no option --priority (it is an option of submit, run, touch, resubmit)'],
    ['q list --no-json', 'list has no option --no-json'],
    ['q list --json.x', 'list has no option --json.x'],
    ['q list --__proto__ x', 'list has no option --__proto__'],
    ['q list ---', 'list has no option ---'],
    ['q list -x', 'list has no option -x'],
    ['q list -5x', 'list has no option -5x'],
    ['q list --fields', 'the option --fields needs a value'],
    ['q list --fields --json', 'the option --fields needs a value'],
    ['q list --fields=', 'the value of the option --fields is empty'],
    ['q list --json=yes', 'the option --json takes no value'],
    ['q submit -q=1 x', 'the option --quiet takes no value'],
    ['q submit --priority high x', 'the option --priority must be a whole number'],
    ['q submit --priority 2147483648 x', 'the option --priority must be a whole number from -2147483648 to 2147483647'],
    ['q submit --priority 1e3 x', 'the option --priority must be a whole number'],
    ['q list -v 5', 'the option --verbosity must be a whole number from 0 to 4, not "5"'],
    ['q feed --max_feed 0', 'the option --max_feed must be a whole number from 1'],
    ['q feed --log_age hourly', 'the option --log_age must be daily or weekly or monthly, not "hourly"'],
    ['q feed --log_size 10X', '(a suffix k, M or G is allowed)'],
    ['q feed --lock-timeout=-1', 'the option --lock-timeout must be a number from 0'],
    ['q create --mode world', 'the option --mode must be private or group'],
  ])('refuse %j', async (words, message) => {
    expect(await mistake(words)).toMatchObject({ code: 'USAGE', message: expect.stringContaining(message) });
  });

  it.each([
    'q submit python train.py --epochs 10',
    'q submit ls -l',
    'q submit df -h',
    'q submit node --version',
    'q submit grep -v x',
  ])('of a program in %j are an error that says how to use --', async (words) => {
    expect(await mistake(words)).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('rq q submit -- python train.py --epochs 10'),
    });
  });

  it('come from RQ_OPTS too; the command line takes precedence, and options of other commands are ignored', () => {
    const environment = { RQ_OPTS: "--fields 'jid, tag' -p 3 --max_feed 2 --json" };
    expect(options('q list', environment).text('fields')).toBe('jid, tag');
    expect(options('q list --fields x', environment).text('fields')).toBe('x');
    expect(options('q list', environment).number('priority')).toBeUndefined();
    expect(options('q submit x', environment).number('priority')).toBe(3);
    expect(options('q submit x', { RQ_OPTIONS: '-q' }).flag('quiet')).toBe(true);
    expect(() => options('q list', { RQ_OPTS: '--nonsense' })).toThrow(
      'RQ_OPTS contains the option --nonsense, which no command has; remove the option',
    );
    expect(() => options('q list', { RQ_OPTS: 'word' })).toThrow(
      'RQ_OPTS may contain only options, not the word "word"',
    );
    expect(() => options('q submit x', { RQ_OPTS: '--tag=' })).toThrow('is empty');
  });

  it.each([
    ['q list --plain --json', '--plain and --json exclude each other; give only one of them; see: rq help list'],
    ['q list --table --plain', '--table and --plain exclude each other'],
    ['q nodes --full --plain', '--plain and --full exclude each other'],
    ['q update 1 a=b --full --table', '--table and --full exclude each other'],
    ['q submit --table --json x', 'rq q submit -- python train.py --epochs 10'],
    ['q status --plain', 'status has no option --plain'],
  ])('for the form of the output that contradict each other are refused: %s', async (words, message) => {
    expect(await mistake(words)).toMatchObject({ code: 'USAGE', message: expect.stringContaining(message) });
  });

  it('for the form of the output have precedence over RQ_OPTS', async () => {
    const plain = options('q list --plain', { RQ_OPTS: '--json --full -f jid' });
    expect(['plain', 'json', 'full'].map((name) => plain.flag(name))).toEqual([true, false, false]);
    expect(plain.text('fields')).toBe('jid');
    const full = options('q list --full', { RQ_OPTS: '--json' });
    expect(['full', 'json'].map((name) => full.flag(name))).toEqual([true, true]);
    expect(options('q status', { RQ_OPTS: '--table --json' }).flag('json')).toBe(true);
    expect(await mistake('q list', { RQ_OPTS: '--table --json' })).toMatchObject({ code: 'USAGE' });
  });

  it('have the same meaning in every command', () => {
    const specs = new Map<string, string>();
    for (const command of COMMANDS) {
      const shorts = optionsOf(command).flatMap(({ short }) => short ?? []);
      expect(new Set(shorts).size).toBe(shorts.length);
      for (const { name, short, type } of optionsOf(command)) {
        const spec = `${short} ${type}`;
        expect(specs.get(name) ?? spec).toBe(spec);
        specs.set(name, spec);
      }
    }
  });
});

describe('arguments that are not UTF-8', () => {
  it('are refused; a real U+FFFD is not', () => {
    const path = join(directory, 'cmdline');
    writeFileSync(path, Buffer.from([0x61, 0, 0xff]));
    expect(() => refuseInvalidBytes(['a', '\ufffd'], path)).toThrow('is not valid UTF-8');
    expect(() => refuseInvalidBytes(['a'], path)).not.toThrow();
    writeFileSync(path, 'a\0\ufffd\0');
    expect(() => refuseInvalidBytes(['a', '\ufffd'], path)).not.toThrow();
  });
});

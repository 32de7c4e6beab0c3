import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

async function submit(bench: Workbench, ...words: string[]): Promise<void> {
  await bench.must(['QUEUE', 'submit', '-q', ...words]);
}

async function runAll(bench: Workbench): Promise<void> {
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1', '--max_feed=4']);
}

function write(bench: Workbench, name: string, text: string): void {
  writeFileSync(join(bench.directory, name), text);
}

async function arraysIn(bench: Workbench): Promise<unknown> {
  return JSON.parse(await bench.must(['QUEUE', 'execute', '--json', 'SELECT * FROM arrays'])) as unknown;
}

/** Values with which a shell does other things unless they are quoted. */
const HOSTILE = [
  'two words',
  "it's",
  '"',
  '$(echo no)',
  '`echo no`',
  '; exit 9',
  '\\',
  '*',
  '-n',
  '',
  '{x}',
  'a\tb',
  'é€😀',
];

test('--array submits a task for each index, in its order, and each job has its index', async () => {
  const bench = await newQueue();
  await submit(bench, 'true');
  await submit(bench, '--tag=t', '--array', '1-5:2,30,0', 'echo "$RQ_INDEX of $RQ_ARRAY"');
  expect(await bench.jobs('tag=t')).toMatchObject(
    [1, 3, 5, 30, 0].map((index, at) => ({ jid: 2 + at, array: 2, index, command: 'echo "$RQ_INDEX of $RQ_ARRAY"' })),
  );
  expect(await arraysIn(bench)).toEqual([{ array: 2, tasks: 5, at_most: null, max_fails: null, stopped: null }]);
  await runAll(bench);
  expect([2, 3, 4, 5, 6].map((jid) => bench.stdout(jid))).toEqual([1, 3, 5, 30, 0].map((index) => `${index} of 2\n`));
});

test('--for submits the product of the values, and each job has its own in the environment', async () => {
  const bench = await newQueue();
  await submit(
    bench,
    '--for',
    'lr=0.1,0.01',
    '--for',
    'seed=1..3',
    '--for',
    'unused=x',
    'echo {lr}/{seed} {z}; env | grep ^RQ_FOR',
  );
  const pairs = ['0.1', '0.01'].flatMap((lr) => ['1', '2', '3'].map((seed) => ({ lr, seed, unused: 'x' })));
  expect(await bench.jobs()).toMatchObject(
    pairs.map((values, at) => {
      const command = `echo ${values.lr}/${values.seed} {z}; env | grep ^RQ_FOR`;
      return { jid: at + 1, array: 1, index: at + 1, for: values, command };
    }),
  );
  await runAll(bench);
  pairs.forEach((values, at) => {
    const [first, ...variables] = bench
      .stdout(at + 1)
      .trim()
      .split('\n');
    expect(first).toBe(`${values.lr}/${values.seed} {z}`);
    const { lr, seed } = values;
    const expected = [`RQ_FOR=${JSON.stringify(values)}`, `RQ_FOR_lr=${lr}`, `RQ_FOR_seed=${seed}`, 'RQ_FOR_unused=x'];
    expect(variables.sort()).toEqual(expected);
  });
});

test('each line of a file or of stdin is a value, which the job receives unchanged', async () => {
  const bench = await newQueue();
  write(bench, 'values', `${HOSTILE.join('\n')}\n`);
  const show = 'printf "%s|%s"';
  await submit(bench, '--for', 'x=@values', `${show} {x} "$RQ_FOR_x"`);
  await bench.must(['QUEUE', 'submit', '-q', '--for', 'x=@-', '--', 'printf', '%s|%s', '{x}', '<{x}>'], {
    input: HOSTILE.join('\n'),
  });
  await submit(bench, '--for', 'x=@~/values', '--tag=home', 'true');
  expect(await bench.jobs('tag=home')).toHaveLength(HOSTILE.length);
  await runAll(bench);
  HOSTILE.forEach((value, at) => {
    expect(bench.stdout(at + 1)).toBe(`${value}|${value}`);
    expect(bench.stdout(at + 1 + HOSTILE.length)).toBe(`${value}|<${value}>`);
  });
});

test('the options of a script make an array, and its arguments contain values', async () => {
  const bench = await newQueue();
  write(bench, 'a.sh', '#RQ --array 1-3%2 --max-fails 2\necho "$RQ_INDEX: $*"\n');
  write(bench, 's.sh', '#RQ --for x=1,2\n#RQ --for "y=a b"\necho "$RQ_FOR_x: $2"\n');
  await submit(bench, '--script', 'a.sh', 'one', 'two words');
  await submit(bench, '--script', 'a.sh', '--array', '7');
  await submit(bench, '--script', 's.sh', '{x}', '{x}-{y}');
  expect(await arraysIn(bench)).toMatchObject([
    { array: 1, tasks: 3, at_most: 2, max_fails: 2 },
    { array: 4, tasks: 1, at_most: null, max_fails: 2 },
    { array: 5, tasks: 2, at_most: null, max_fails: null },
  ]);
  const copies = (await bench.jobs('array=1')).map(({ script }) =>
    readFileSync(join(bench.queue, String(script)), 'utf8'),
  );
  expect(copies).toEqual(Array.from({ length: 3 }, () => readFileSync(join(bench.directory, 'a.sh'), 'utf8')));
  await runAll(bench);
  expect([2, 4, 5, 6].map((jid) => bench.stdout(jid))).toEqual([
    '2: one two words\n',
    '7: \n',
    '1: 1-a b\n',
    '2: 2-a b\n',
  ]);
});

test('each task has its own copy of the files of the job', async () => {
  const bench = await newQueue();
  write(bench, 'input', 'a line\n');
  await submit(bench, '--stdin=input', '--array=1-3', 'cat');
  await bench.must(['QUEUE', 'delete', '-q', '2']);
  await runAll(bench);
  expect([bench.stdout(1), bench.stdout(3)]).toEqual(['a line\n', 'a line\n']);
});

test('tasks are selected by their array and their index, and keep them when they change', async () => {
  const bench = await newQueue();
  await submit(bench, '--array', '1-4', 'true');
  await submit(bench, '--for', 'x=5..6', 'exit {x}');
  expect((await bench.jobs('array=5')).map(({ jid }) => jid)).toEqual([5, 6]);
  expect((await bench.jobs('array=1', 'index=3')).map(({ jid }) => jid)).toEqual([3]);
  for (const words of [['index=2'], ['index > 1 and index < 3'], ['index = 2 and array > 0']]) {
    expect(await bench.must(['QUEUE', 'query', '--plain', ...words])).toBe('2\n6\n');
  }
  expect(await bench.must(['QUEUE', 'query', '--plain', "for ->> 'x' = '6'"])).toBe('6\n');
  await bench.must(['QUEUE', 'kill', '-q', 'array=1', 'index=4']);
  await bench.must(['QUEUE', 'update', '-q', 'array=5', 'set', 'priority=3']);
  await runAll(bench);
  expect((await bench.run(['QUEUE', 'wait', 'array=5', '--plain'])).status).toBe(6);
  expect((await bench.jobs('array=1', 'failed')).map(({ index }) => index)).toEqual([4]);
  await bench.must(['QUEUE', 'resubmit', '-q', 'array=5', 'failed']);
  expect(await bench.jobs('array=5')).toMatchObject([
    { state: 'pending', priority: 3, index: 1, for: { x: '5' } },
    { state: 'pending', priority: 3, index: 2, for: { x: '6' } },
  ]);
});

test('tasks that are submitted again from a list are plain jobs', async () => {
  const bench = await newQueue();
  await submit(bench, '--for', 'x=1..2', 'echo {x}');
  for (const form of [[], ['--json']]) {
    const list = await bench.must(['QUEUE', 'list', 'array=1', ...form]);
    await bench.must(['QUEUE', 'submit', '-q', '--tag=again', '-'], { input: list });
  }
  const again = await bench.jobs('tag=again');
  expect(again.map(({ command }) => command)).toEqual(['echo 1', 'echo 2', 'echo 1', 'echo 2']);
  expect(again.flatMap((job) => [job['array'], job['index'], job['for']])).toEqual(Array(12).fill(undefined));
});

test('a rotation keeps the fields of tasks, and the record of an array goes with its last task', async () => {
  const bench = await newQueue();
  await submit(bench, '--array=1-2', 'true');
  await submit(bench, '--for', 'x=a', 'true');
  await submit(bench, '--array=1', '--stage', 'true');
  await runAll(bench);
  await bench.must(['QUEUE', 'rotate', 'old']);
  const rotated = JSON.parse(await bench.must([join(bench.directory, 'old'), 'list', '--json'])) as unknown;
  expect(rotated).toMatchObject([
    { array: 1, index: 1 },
    { array: 1, index: 2 },
    { array: 3, index: 1, for: { x: 'a' } },
  ]);
  expect(await arraysIn(bench)).toMatchObject([{ array: 4 }]);
  await bench.must(['QUEUE', 'delete', '-q', '4']);
  expect(await arraysIn(bench)).toEqual([]);
});

describe('is wrong usage, and nothing is submitted:', () => {
  const command = ['echo {x}'];
  test.each([
    [['--array=5-1', ...command], 'cannot submit: --array contains the reversed range 5-1; give 1-5'],
    [['--array=1,1', ...command], 'cannot submit: --array contains the index 1 more than once'],
    [['--array=1%2', '--at-most=3', ...command], 'cannot submit: --at-most 3 and %2 in --array are two limits'],
    [['--array=1-3', '--for', 'x=1', ...command], 'cannot submit: give either --array or --for'],
    [['--at-most=2', ...command], 'cannot submit: --at-most requires --array or --for'],
    [['--max-fails=2', '-'], 'cannot submit: --max-fails requires --array or --for'],
    [['--array=1-3'], 'cannot submit: --array applies to one command line or script, not to a list of jobs'],
    [['--for', 'x=1', '-'], 'cannot submit: --for applies to one command line or script, not to a list of jobs'],
    [['--for', 'x=1', '--infile', 'list'], 'cannot submit: --for applies to one command line or script'],
    [['--for', 'x', ...command], 'cannot submit: --for must be NAME=VALUES, such as lr=0.1,0.01, not "x"'],
    [['--for', '1x=1', ...command], 'cannot submit: --for has the name "1x", which must consist of letters'],
    [['--for', 'RQ_X=1', ...command], 'cannot submit: --for has the name "RQ_X", which is set by rq'],
    [['--for', 'x=1', '--for', 'x=2', ...command], 'cannot submit: --for names x twice'],
    [['--for', 'x=', ...command], 'cannot submit: --for x has an empty value'],
    [['--for', 'x=1,,2', ...command], 'cannot submit: --for x has an empty value'],
    [['--for', 'x=5..1', ...command], 'cannot submit: --for x: "5..1" is reversed'],
    [['--for', 'x=1e1..1e2', ...command], 'cannot submit: --for x: "1e1..1e2" is not a range of numbers'],
    [['--for', 'x=1..4000', '--for', 'y=1..4000', ...command], 'cannot submit: the sweep has 16000000 combinations'],
    [['--for', 'x=@missing', ...command], 'cannot submit with --for: cannot read missing: ENOENT'],
    [['--for', 'x=@', ...command], 'cannot submit with --for: there is no path after "@"'],
    [['--for', 'x=@empty', ...command], 'cannot submit with --for: there are no values in empty'],
    [['--for', 'x=@dos', ...command], 'cannot submit with --for: line 2 of dos ends with CR LF'],
    [['--for', 'x=@nul', ...command], 'cannot submit with --for: line 1 of nul contains a NUL byte'],
    [['--for', 'x=@latin', ...command], 'line 2 of latin is not UTF-8; nothing was submitted'],
    [['--for', 'x=@-', '--for', 'y=@-', ...command], 'cannot submit: stdin can contain the values of only one name'],
    [
      ['--for', 'x=@-', '--stdin', ...command],
      'cannot submit: stdin cannot contain both the values of --for and --stdin',
    ],
    [['--for', 'x=@-', '--script=-'], 'cannot submit: stdin cannot contain both the values of --for and --script'],
    [['--for', 'x=a b', 'echo "{x}"'], 'cannot submit with --for: {x} stands in quotes'],
    [['--array=1-3', '--stdin=missing', ...command], 'cannot submit: stdin'],
  ])('submit %j', async (words, message) => {
    const bench = await newQueue();
    write(bench, 'empty', '');
    write(bench, 'dos', 'a\nb\r\n');
    write(bench, 'nul', 'a\0b\n');
    write(bench, 'list', 'true\n');
    writeFileSync(join(bench.directory, 'latin'), Buffer.from('a\n\xe9\n', 'latin1'));
    const { status, stdout, stderr } = await bench.run(['QUEUE', 'submit', ...words], { input: 'a\nb\n' });
    expect({ status, stdout, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, stdout: '', lines: 1 });
    expect(stderr).toContain(message);
    expect(await bench.jobs()).toEqual([]);
    expect(await arraysIn(bench)).toEqual([]);
    expect(readdirSync(join(bench.queue, 'stdin'))).toEqual([]);
  });

  test('an array for a command that has one job', async () => {
    const bench = await newQueue();
    write(bench, 'a.sh', '#RQ --array 1-3\ntrue\n');
    for (const name of ['run', 'touch']) {
      const { status, stderr } = await bench.run(['QUEUE', name, '--script', 'a.sh']);
      const message = `rq: cannot ${name}: a.sh, line 1: the option --array is not allowed in a script; "${name}" has no such option\n`;
      expect({ status, stderr }).toEqual({ status: 2, stderr: message });
    }
    expect(await bench.jobs()).toEqual([]);
  });
});

describe('limits', () => {
  const name = 'x'.repeat(255);
  // As JSON: {"a":"…","b":"…","c":"…"} with 256 KiB.
  const last = 262_144 - 2 * 100_000 - '{"a":"","b":"","c":""}'.length;

  test.each([
    ['the highest index', ['--array=0,1000000000', 'true'], undefined],
    ['a longer name', ['--for', `${name}y=1`, 'true'], 'is longer than 255 bytes'],
    ['the longest name', ['--for', `${name}=1`, 'true'], undefined],
    ['the longest value', ['--for', 'x=@100000', 'true'], undefined],
    ['a longer value', ['--for', 'x=@100001', 'true'], 'line 1 of 100001 is longer than 100000 bytes'],
    [
      'the longest values of a task',
      ['--for', 'a=@100000', '--for', 'b=@100000', '--for', `c=@${last}`, 'true'],
      undefined,
    ],
    [
      'longer values of a task',
      ['--for', 'a=@100000', '--for', 'b=@100000', '--for', `c=@${last + 1}`, 'true'],
      'the values of one task have up to 262145 bytes as JSON; the limit is 262144',
    ],
    [
      'the longest command',
      ['--for', 'x=@95000', `#${'{x}'.repeat(11)}${'y'.repeat(1_048_576 - 11 * 95_000 - 1)}`],
      undefined,
    ],
    [
      'a longer command',
      ['--for', 'x=@95000', `#${'{x}'.repeat(11)}${'y'.repeat(1_048_576 - 11 * 95_000)}`],
      'cannot submit: the command of task 1 with the values {"x":',
    ],
  ])('%s', async (_, words, fault) => {
    const bench = await newQueue();
    for (const word of words) {
      const length = /=@(\d+)$/.exec(word)?.[1];
      if (length !== undefined) write(bench, length, `z\n${'z'.repeat(Number(length))}\n`.replace(/^z\n/, ''));
    }
    const { status, stderr } = await bench.run(['QUEUE', 'submit', '-q', ...words]);
    if (fault === undefined) expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    else {
      expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, lines: 1 });
      expect(stderr).toContain(fault);
    }
    expect((await bench.counts())['total']).toBe(
      fault === undefined ? (words[0] === '--array=0,1000000000' ? 2 : 1) : 0,
    );
  });
});

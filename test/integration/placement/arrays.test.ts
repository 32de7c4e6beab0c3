import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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

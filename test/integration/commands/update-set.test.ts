import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

/** Four jobs: 1 and 2 have the tag `typo`, 3 the tag `b`, 4 is held. */
async function benchWithJobs(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', '-ttypo', '-'], { input: './sim --lr=0.1 --n 0.1\necho dnoe\n' });
  await bench.must(['QUEUE', 'submit', '-q', '-tb', './sim --lr=0.1']);
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  return bench;
}

async function fields(bench: Workbench, name: string): Promise<unknown[]> {
  return (await bench.jobs()).map((job) => job[name]);
}

const COMMANDS = ['./sim --lr=0.1 --n 0.1', 'echo dnoe', './sim --lr=0.1', 'true'];

test.each([
  ['tag=typo set tag=fixed', 'tag', ['fixed', 'fixed', 'b', undefined]],
  ['tag=typo tag=typo set tag=b', 'tag', ['b', 'b', 'b', undefined]],
  ['2-4 tag=typo set priority=7', 'priority', [0, 7, 0, 0]],
  ['holding set state=pending', 'state', ['pending', 'pending', 'pending', 'pending']],
  ['tag=null set tag=new note=null', 'tag', ['typo', 'typo', 'b', 'new']],
  ['3 set tag=null', 'tag', ['typo', 'typo', undefined, undefined]],
  ['3 tag=x', 'tag', ['typo', 'typo', 'x', undefined]],
])('update %s changes the selected jobs', async (words, name, values) => {
  const bench = await benchWithJobs();
  await bench.must(['QUEUE', 'update', '-q', ...words.split(' ')]);
  expect(await fields(bench, name)).toEqual(values);
});

test('the example of the documentation changes the command line of the jobs with a tag', async () => {
  const bench = await benchWithJobs();
  await bench.shell("rq q update -q tag=typo set command='echo done'");
  expect(await fields(bench, 'command')).toEqual(['echo done', 'echo done', COMMANDS[2], 'true']);
});

test('key=value before "set" narrows the jobs that stdin selects', async () => {
  const bench = await benchWithJobs();
  const printed = await bench.must(['QUEUE', 'list', '2', '3']);
  await bench.must(['QUEUE', 'update', '-q', '-', 'tag=b', 'set', 'priority=3'], { input: printed });
  expect(await fields(bench, 'priority')).toEqual([0, 0, 3, 0]);
});

test.each([
  ['set priority=1', 'cannot update: no jobs are selected'],
  ['tag=typo set', 'cannot update: no change specified'],
  ['tag=typo set 3', 'cannot update: after the word "set", give KEY=VALUE, not "3"'],
  ['set', 'cannot update: no change specified'],
  ['tag=typo', 'select by fields before the word "set": update tag=x set priority=9'],
  ['nosuch=1 set tag=x', 'cannot select by "nosuch": no such field'],
  ['1 set jid=2', 'rq sets this field itself'],
  ['1 --replace  x', 'cannot update: the text to replace is empty'],
  ['1 command=x --replace a b', 'cannot update: --replace cannot be combined with a new command or script'],
  ['1 env={}', 'cannot update: set env with the option --env; env=null clears it'],
  ['1 env=null --env A=1', 'cannot update: env is specified twice'],
])('update %s is refused in one line, and changes nothing', async (words, message) => {
  const bench = await benchWithJobs();
  const before = await bench.must(['QUEUE', 'list']);
  // A terminal cannot be simulated here; /dev/null is neither a pipe nor a file.
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'update', ...words.split(' ')], {
    wrapper: ['bash', '-c', 'exec "$@" </dev/null', 'bash'],
  });
  expect({ status, stdout, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, stdout: '', lines: 1 });
  expect(stderr).toContain(message);
  expect(await bench.must(['QUEUE', 'list'])).toBe(before);
});

test.each([
  [
    ['--replace', '--lr=0.1', '--lr=0.2'],
    ['./sim --lr=0.2 --n 0.1', COMMANDS[1], './sim --lr=0.2', 'true'],
  ],
  [
    ['--replace', '0.1', '$&'],
    ['./sim --lr=$& --n $&', COMMANDS[1], './sim --lr=$&', 'true'],
  ],
  [
    ['--replace', '.', '_'],
    ['_/sim --lr=0_1 --n 0_1', COMMANDS[1], '_/sim --lr=0_1', 'true'],
  ],
  [
    ['--replace', ' --lr=0.1', ''],
    ['./sim --n 0.1', COMMANDS[1], './sim', 'true'],
  ],
  [
    ['--replace', 'dnoe', 'done', '--replace', 'true', 'false'],
    [COMMANDS[0], 'echo done', COMMANDS[2], 'false'],
  ],
])('update %j replaces text in the commands that contain it', async (words, commands) => {
  const bench = await benchWithJobs();
  await bench.must(['QUEUE', 'update', '-q', 'all', ...words]);
  expect(await fields(bench, 'command')).toEqual(commands);
});

test('--replace combines with a selection by fields, with changes and with stdin', async () => {
  const bench = await benchWithJobs();
  const words = ['tag=typo', 'set', 'priority=5', '--replace', 'lr=0.1', 'lr=3'];
  const changed = JSON.parse(await bench.must(['QUEUE', 'update', '--json', ...words])) as unknown[];
  expect(changed).toMatchObject([{ jid: 1, priority: 5, command: './sim --lr=3 --n 0.1' }]);
  expect(await fields(bench, 'priority')).toEqual([5, 0, 0, 0]);
  await bench.must(['QUEUE', 'update', '-q', '-', '--replace', 'echo', 'printf'], { input: '2\n3\n' });
  expect(await fields(bench, 'command')).toEqual(['./sim --lr=3 --n 0.1', 'printf dnoe', COMMANDS[2], 'true']);
});

test('if no command contains the text, update says so, changes nothing and has status 0', async () => {
  const bench = await benchWithJobs();
  const words = ['QUEUE', 'update', 'all', 'priority=9', '--replace', 'nowhere', 'x'];
  expect(await bench.run(words)).toMatchObject({
    status: 0,
    stdout: '',
    stderr: expect.stringMatching(
      /^.*no command of the selected jobs contains the text to replace; nothing was changed\n$/,
    ),
  });
  expect(await fields(bench, 'priority')).toEqual([0, 0, 0, 0]);
});

test('a replacement that leaves an invalid command is refused, and no job is changed', async () => {
  const bench = await benchWithJobs();
  for (const [replacement, fault] of [
    ['', 'is empty'],
    ['x'.repeat(100_000), 'is longer than 1048576 bytes'],
  ] as const) {
    await bench.must(['QUEUE', 'update', '-q', '4', `command=${'ab '.repeat(11).trim()}`]);
    const pairs = replacement === '' ? ['ab', '', '--replace', 'true', ''] : ['ab', replacement];
    const { status, stderr } = await bench.run(['QUEUE', 'update', 'all', '--replace', ...pairs]);
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`its new command ${fault}`),
    });
    expect(await fields(bench, 'command')).toEqual([...COMMANDS.slice(0, 3), 'ab '.repeat(11).trim()]);
  }
});

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plantJob, tamper } from '../../support/hostile.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const PRECIOUS = 'precious\n';
/** Characters that a terminal interprets: control characters except newline, and direction marks. */
const CONTROLS = /[^\P{Cc}\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

/** Creates a file outside of the queue that must not change, with an old time stamp. */
function createVictim(bench: Workbench, name = 'victim'): string {
  const path = join(bench.directory, name);
  writeFileSync(path, PRECIOUS);
  execFileSync('touch', ['-d', '2001-01-01T00:00:00Z', path]);
  return path;
}

function expectUntouched(path: string): void {
  expect(readFileSync(path, 'utf8')).toBe(PRECIOUS);
  expect(statSync(path).mtime.toISOString()).toBe('2001-01-01T00:00:00.000Z');
}

/** Feeds until this host has failed to start `count` jobs. Returns the log lines of the failures. */
async function failedStarts(bench: Workbench, count: number): Promise<string> {
  const log = join(bench.directory, 'feeder.log');
  const lines = (): string[] =>
    (existsSync(log) ? readFileSync(log, 'utf8') : '')
      .split('\n')
      .filter((line) => line.includes('cannot start a job'));
  const feeder = bench.start(['QUEUE', 'feed', '--log', log]);
  await waitFor(() => lines().length >= count);
  await bench.must(['QUEUE', 'shutdown']);
  await feeder.ended;
  return lines().join('\n');
}

test('paths in a row cannot refer to files other than those of the job', async () => {
  const bench = await newQueue();
  const victims = ['x', 'y'].map((name) => createVictim(bench, name));
  const paths = { stdin: '../x', stdout: '../y', stderr: victims[0], data: '../../y' };
  const jid = plantJob(bench, { ...paths, command: 'cat' });
  const ended = { state: 'finished', started: '2026-01-01T00:00:00.000Z', finished: '2026-01-01T00:00:00.000Z' };
  const old = plantJob(bench, { ...paths, ...ended, runner: 'h', exit_status: 0, attempt: 1 });
  for (const mode of ['stdin', 'stdout', 'stderr']) {
    expect(await bench.run(['QUEUE', mode, String(jid)])).toMatchObject({ status: 1, stdout: '' });
    expect(await bench.must(['QUEUE', `${mode}4`, String(jid)])).toBe(`${join(bench.queue, mode, String(jid))}\n`);
  }
  await bench.must(['QUEUE', 'backup', '-v1', join(bench.directory, 'backup')]);
  await bench.must(['QUEUE', 'rotate', '-v1', join(bench.directory, 'rotation')]);
  expect(await bench.jobs(String(old))).toEqual([]);
  expect(await failedStarts(bench, 1)).toContain(`cannot open stdin ${bench.queue}/stdin/${jid}`);
  await bench.must(['QUEUE', 'delete', '-q', String(jid)]);
  for (const victim of victims) expectUntouched(victim);
});

test('a pipe in place of the directory of a job is refused', async () => {
  const bench = await newQueue();
  const pipe = join(bench.directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  plantJob(bench, { cwd: pipe });
  expect(await failedStarts(bench, 1)).toContain(`cannot enter the directory ${pipe}: not a directory`);
});

test('links, pipes and directories in place of the files of a job are refused', async () => {
  const bench = await newQueue();
  const victim = createVictim(bench);
  await bench.must(['QUEUE', 'submit', '-q', '--stdin=-', 'echo overwritten'], { input: 'x' });
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'echo overwritten\n'.repeat(3) });
  const file = (name: string): string => join(bench.queue, name);
  const stdin = (await bench.must(['QUEUE', 'stdin4', '1'])).trim();
  execFileSync('rm', [stdin]);
  symlinkSync(victim, stdin);
  symlinkSync(victim, file('stdout/2'));
  execFileSync('mkfifo', [file('stdout/3')]);
  symlinkSync(victim, file('stderr/4'));
  const refused: [string, string][] = [
    ['stdin', '1'],
    ['stdout', '2'],
    ['stdout', '3'],
    ['stderr', '4'],
  ];
  for (const [mode, jid] of refused) {
    const { status, stdout, stderr } = await bench.run(['QUEUE', mode, jid]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^rq: cannot open \S+: the path is not a regular file; .*\n$/);
  }
  expect((await bench.run(['QUEUE', 'ioview', '2', '--editor', 'cat'])).stdout).toBe('');
  const reasons = await failedStarts(bench, 4);
  for (const [name, jid] of refused) expect(reasons).toMatch(new RegExp(`"jid":${jid},.*cannot open ${name} `));
  expect(await bench.jobs('pending')).toHaveLength(4);
  expectUntouched(victim);
  await bench.must(['QUEUE', 'delete', '-q', 'all']);
  expectUntouched(victim);
});

describe('a planted file in place of the file of a node', () => {
  const plants: [string, (path: string, victim: string) => void][] = [
    ['a link', (path, victim) => symlinkSync(victim, path)],
    ['a pipe', (path) => execFileSync('mkfifo', [path])],
    [
      'a gigabyte',
      (path) => {
        writeFileSync(path, '');
        truncateSync(path, 1024 ** 3);
      },
    ],
  ];
  test.each(plants)('is ignored by status and by the feeder: %s', async (_, plant) => {
    const bench = await newQueue();
    const victim = createVictim(bench);
    plant(join(bench.queue, 'nodes', 'here'), victim);
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    expect(await bench.must(['QUEUE', 'status', '--fields', 'nodes'])).toBe('---\nnodes: []\n');
    const { status } = await bench.run(['QUEUE', 'feed', '--until-empty'], { environment: { RQ_HOST: 'here' } });
    expect(status).toBe(0);
    expect(await bench.counts()).toMatchObject({ finished: 1 });
    expectUntouched(victim);
  });
});

test('a planted record of a rotation cannot move or remove other files', async () => {
  const bench = await newQueue();
  mkdirSync(join(bench.directory, 'home'));
  const victim = createVictim(bench, 'home/victim');
  const id = '11111111-2222-3333-4444-555555555555';
  const record = [id, victim, join(bench.directory, 'taken'), '["../home/victim","stdout/../../home"]', 'now'];
  tamper(bench, (database) => database.prepare('INSERT INTO rotations VALUES (?, ?, ?, ?, ?)').run(...record));
  const { status, stderr } = await bench.run(['QUEUE', 'rotate', join(bench.directory, 'rotation')]);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^rq: cannot finish a rotation of .*\n$/)]);
  expectUntouched(victim);
  expect(existsSync(join(bench.directory, 'taken'))).toBe(false);
});

test.each(['nonsense', '{"0":"stdout/1"}', '[1]'])(
  'a record of a rotation with invalid file names is refused: %s',
  async (files) => {
    const bench = await newQueue();
    const id = '11111111-2222-3333-4444-555555555555';
    const partial = join(bench.directory, `.rq-rotation.${id}`, 'r');
    const record = [id, partial, join(bench.directory, 'r'), files, 'now'];
    tamper(bench, (database) => database.prepare('INSERT INTO rotations VALUES (?, ?, ?, ?, ?)').run(...record));
    const { status, stderr } = await bench.run(['QUEUE', 'rotate', join(bench.directory, 'rotation')]);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^rq: cannot finish a rotation of .*\n$/)]);
    expect(await bench.run(['QUEUE', 'doctor', '--fields', 'findings'])).toMatchObject({
      stderr: '',
      stdout: expect.stringContaining(join(bench.directory, 'r')),
    });
  },
);

test('invalid settings are replaced by the defaults', async () => {
  const bench = await newQueue();
  const invalid = [
    ['max_feed', '1000000000'],
    ['min_sleep', '-1'],
    ['max_sleep', 'never'],
    ['lost_after', '0'],
    ['kill_grace', '1e9'],
    ['retention', 'Infinity'],
    ['max_per_user', '-3'],
    ['fair', 'perhaps'],
    ['reserve_after', '1e99'],
  ];
  tamper(bench, (database) => {
    for (const row of invalid) database.prepare('INSERT INTO attributes VALUES (?, ?)').run(...row);
  });
  const settings =
    'max_feed: null\nmin_sleep: 1\nmax_sleep: 5\nlost_after: 900\nkill_grace: 30\nretention: 0\n' +
    'max_per_user: null\nfair: false\nreserve_after: 600\n';
  expect(await bench.must(['QUEUE', 'configure'])).toBe(`---\n${settings}`);
});

test('an impossible generation is refused with one line, and reading still works', async () => {
  const bench = await newQueue();
  tamper(bench, (database) => database.exec("INSERT INTO operations VALUES (9223372036854775807, 'x', 'now')"));
  const { status, stderr } = await bench.run(['QUEUE', 'submit', 'true']);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^rq: cannot use \S+: the highest generation in .*\n$/)]);
  expect(await bench.counts()).toMatchObject({ total: 0 });
});

describe('jobs that rq did not write', () => {
  test('are skipped and logged, and the other jobs run', async () => {
    const bench = await newQueue();
    plantJob(bench, { priority: 2 ** 40, finished: 'soon' });
    plantJob(bench, { priority: 9, pid: 1, boot: 'x', signal: 'y', reason: 'z' });
    plantJob(bench, { priority: 9, attempt: -1 });
    plantJob(bench, { priority: 9, command: 'x'.repeat(2 * 1024 * 1024) });
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    const { status, stderr } = await bench.run(['QUEUE', 'feed', '--until-empty', '--max_feed', '1']);
    expect(status).toBe(0);
    expect(stderr).toContain('skipped invalid pending jobs that rq did not write');
    expect(await bench.jobs('finished')).toMatchObject([{ jid: 5, exit_status: 0 }]);
  });

  test('with a command of 300 MB do not fill the memory', async () => {
    const bench = await newQueue();
    const jid = plantJob(bench, { priority: 9 });
    tamper(bench, (database) =>
      database.exec(`UPDATE jobs SET command = CAST(zeroblob(300000000) AS TEXT), tag = command WHERE jid = ${jid}`),
    );
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    // The limit is in kilobytes of writable memory.
    const limited = `ulimit -d 250000; for mode in list status 'query priority=9' 'list ${jid}' 'feed --until-empty -v1'; do rq q $mode || exit; done`;
    const { stdout } = await bench.shell(limited);
    expect(stdout.match(/^ {2}command: ""$/gm)).toHaveLength(3);
    expect(await bench.jobs('finished')).toMatchObject([{ jid: 2 }]);
  });

  test('with an invalid state cause a message of one line', async () => {
    const bench = await newQueue();
    plantJob(bench, { state: '\u001b[2Jgone' });
    const { status, stderr } = await bench.run(['QUEUE', 'list']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^rq: cannot read job 1: the state \\u001b\[2Jgone is not valid; .*\n$/);
  });

  test.each([
    ['NUL in the command', { command: 'echo a\0b' }],
    ['NUL in the directory', { cwd: '/tmp\0/x' }],
    ['NUL in the tag', { tag: 'a\0b' }],
    ['invalid Unicode', { command: Buffer.from('echo \xff', 'latin1') }],
  ])('end, and the feeder continues: %s', async (_, columns) => {
    const bench = await newQueue();
    const text = 'command' in columns && Buffer.isBuffer(columns.command) ? columns.command : undefined;
    const jid = plantJob(bench, text === undefined ? columns : {});
    if (text !== undefined) {
      const sql = `UPDATE jobs SET command = CAST(? AS TEXT) WHERE jid = ${jid}`;
      tamper(bench, (database) => database.prepare(sql).run(text));
    }
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    expect((await bench.run(['QUEUE', 'feed', '--until-empty'])).status).toBe(0);
    expect(await bench.counts()).toMatchObject({ pending: 0, running: 0, total: 2 });
    expect(await bench.jobs('2')).toMatchObject([{ state: 'finished', exit_status: 0 }]);
  });
});

test('control characters in a job do not reach the terminal', async () => {
  const bench = await newQueue();
  const controls = `a\u001b[31m\u009b5m\u0007\r\u202e\u2066\u200f\u061c\u2028\u0085\u007fz`;
  plantJob(bench, {
    command: controls,
    tag: controls,
    owner: controls,
    cwd: controls,
    submitter: controls,
    runners: controls,
  });
  const calls = [
    ['list'],
    ['list', '--json'],
    ['query', 'jid=1'],
    ['query', 'jid=1', '--json'],
    ['execute', 'SELECT * FROM jobs'],
    ['execute', '--json', 'SELECT * FROM jobs'],
    ['delete', `tag=${controls}x`],
    ['list', controls],
    [controls],
    ['feed', '--until-empty'],
    ['update', '1', 'priority=7'],
    ['snapshot', `${controls}`],
  ];
  for (const args of calls) {
    const { stdout, stderr } = await bench.run(['QUEUE', ...args]);
    expect({ args, control: CONTROLS.exec(stdout + stderr)?.[0] }).toEqual({ args, control: undefined });
  }
  expect((await bench.jobs('1'))[0]).toMatchObject({ command: controls, tag: controls });
});

test('a planted trigger cannot reach outside of the database', async () => {
  const bench = await newQueue();
  const victim = createVictim(bench);
  tamper(bench, (database) =>
    database.exec(`CREATE TRIGGER evil AFTER INSERT ON jobs BEGIN SELECT load_extension('${victim}'); END`),
  );
  const { status, stderr } = await bench.run(['QUEUE', 'submit', 'true']);
  expect(status).toBe(1);
  expect(stderr.split('\n')).toHaveLength(2);
  expectUntouched(victim);
  expect(await bench.counts()).toMatchObject({ total: 0 });
});

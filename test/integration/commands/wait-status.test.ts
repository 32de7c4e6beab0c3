import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../../../src/store/connection.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** The command line of each job, and the exit status of a wait for it. */
const JOBS: readonly (readonly [jid: number, command: string, status: number])[] = [
  [1, 'true', 0],
  [2, 'exit 3', 3],
  [3, 'exit 255', 255],
  [4, 'kill -INT $$', 130],
  [5, 'kill -KILL $$', 137],
  [6, 'kill -RTMIN+2 $$', 164],
  [7, 'exit 1', 1],
  [8, 'echo dead', 126],
  [9, 'echo ended by rq', 126],
];
const [DEAD, ENDED_BY_RQ] = [8, 9];

/** Runs all jobs. The last two then get the ends that only rq gives to a job. */
async function ended(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const input = JOBS.map(([, command]) => `${command}\n`).join('');
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input });
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  const connection = Connection.open(join(bench.queue, 'db'), { busyMs: 1_000 });
  connection.execute('PRAGMA ignore_check_constraints = ON');
  connection.run("UPDATE jobs SET state = 'dead', exit_status = NULL, reason = 'its host was lost' WHERE jid = ?", [
    DEAD,
  ]);
  connection.run("UPDATE jobs SET reason = 'time limit of 2h' WHERE jid = ?", [ENDED_BY_RQ]);
  connection.close();
  return bench;
}

let bench: Workbench;
let template: string;

async function waited(...words: string[]): Promise<{ status: number | null; jids: number[] }> {
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'wait', '--json', ...words]);
  expect(stderr).toBe('');
  return { status, jids: (JSON.parse(stdout) as { jid: number }[]).map(({ jid }) => jid) };
}

describe('of ended jobs', () => {
  beforeAll(async () => {
    template = join(mkdtempSync(join(tmpdir(), 'rqt-')), 'q');
    cpSync((await ended()).queue, template, { recursive: true });
  });

  beforeEach(() => {
    bench = new Workbench();
    cpSync(template, bench.queue, { recursive: true });
  });

  afterAll(() => rmSync(join(template, '..'), { recursive: true, force: true }));

  test.each(JOBS)('job %i, %s: wait exits with %i', async (jid, _, status) => {
    expect(await waited(String(jid))).toEqual({ status, jids: [jid] });
  });

  test.each([
    [['1,7'], 1],
    [['2', '4-5'], 137],
    [['all'], 255],
    [['1', '8'], 126],
    [['command=exit 3'], 3],
    [['failed', '1'], 255],
  ])('for %j, wait exits with the highest status %i', async (words, status) => {
    expect((await waited(...words)).status).toBe(status);
  });

  test('with --any, wait prints the first job that ended and exits with its status', async () => {
    const jobs = await bench.jobs('2-7');
    const times = jobs.map(({ finished }) => String(finished)).sort();
    const first = jobs.find(({ finished }) => finished === times[0]);
    const { status, jids } = await waited('2-7', '--any');
    expect(jids).toEqual([first?.['jid']]);
    expect(status).toBe(JOBS.find(([jid]) => jid === jids[0])?.[2]);
  });

  test('wait prints the jobs as list does, and nothing with --quiet', async () => {
    const listed = await bench.must(['QUEUE', 'list', '2', '--fields', 'jid,exit_status']);
    expect((await bench.run(['QUEUE', 'wait', '2', '--fields', 'jid,exit_status'])).stdout).toBe(listed);
    const quiet = await bench.run(['QUEUE', 'wait', '2,8', '--quiet']);
    expect(quiet).toMatchObject({ status: 126, stdout: '', stderr: '' });
  });

  test('wait accepts the output of other commands', async () => {
    const { status } = await bench.run(['QUEUE', 'wait', '-'], { input: await bench.must(['QUEUE', 'list', '2,4']) });
    expect(status).toBe(130);
    const { stdout } = await bench.shell('rq q list 1,7 | rq q wait --json || test $? = 1');
    expect(JSON.parse(stdout)).toMatchObject([{ jid: 1 }, { jid: 7 }]);
  });

  test('if the reader of stdout has gone, the exit status is not that of a successful job', async () => {
    const { stdout } = await bench.shell('{ rq q wait 1; echo $? >status; } | true; cat status');
    expect(stdout).toBe('141\n');
  });

  test.each([
    [['wait', '99'], 3, /^rq: no job 99 in .*\/q; list the jobs with: rq .*\/q list\n$/],
    [['wait', '1,99,2,98'], 3, /^rq: no job 98, 99 in /],
    [['wait', '100-200'], 3, /^rq: cannot wait: no job in .* matches 100-200\n$/],
    [['wait', 'running'], 3, /^rq: cannot wait: no job in .* matches running\n$/],
    [['wait', 'tag=none'], 3, /^rq: cannot wait: no job in .* matches tag=none\n$/],
    [['wait'], 2, /^rq: cannot wait: stdin contains no jid/],
    [['wait', 'what'], 2, /^rq: "what" is not a valid selection/],
    [['wait', '1', '--timeout', '5x'], 2, /^rq: cannot wait: --timeout must be a duration .* not "5x"\n$/],
    [['wait', '1', '--timeout', '-1'], 2, /^rq: cannot wait: --timeout must be a duration .* not "-1"\n$/],
    [['wait', '1', '--timeout', ''], 2, /^rq: the value of the option --timeout is empty/],
    [['wait', '1', '--fields', 'none'], 2, /^rq: there is no field "none"/],
    [['state', '99'], 3, /^rq: no job 99 in /],
    [['state', '100-200'], 3, /^rq: cannot state: no job in /],
    [['state'], 2, /^rq: cannot state: stdin contains no jid/],
    [['state', '1', '--snake'], 2, /^rq: state has no option --snake;/],
    [['run'], 2, /^rq: /],
    [['run', '-'], 2, /^rq: cannot run a list of jobs: give one command line, or use "submit --wait" for a list\n$/],
    [['run', 'ls', '-z'], 2, /^rq: run has no option -z: put "--" before a program .* rq .*\/q run -- python/],
    [['run', '--cwd', '', 'true'], 2, /^rq: the value of the option --cwd is empty/],
    [['run', '--data', '/nowhere', 'true'], 2, /^rq: cannot run: data \/nowhere /],
    [['submit', '--wait', '--priority', 'x', 'true'], 2, /^rq: the option --priority /],
  ])('bad input: %j exits with %i, one line on stderr and nothing on stdout', async (words, status, line) => {
    const { stdout, stderr, status: found } = await bench.run(['QUEUE', ...words]);
    expect({ stdout, stderr, status: found }).toEqual({
      stdout: '',
      stderr: expect.stringMatching(line) as string,
      status,
    });
    expect(stderr.split('\n')).toHaveLength(2);
    expect((await bench.counts())['total']).toBe(JOBS.length);
  });

  test.each([[['wait', '1']], [['state', '1']], [['run', 'true']], [['submit', '--wait', 'true']]])(
    'without a queue, %j exits with 3 and prints nothing on stdout',
    async (words) => {
      const { status, stdout } = await bench.run([join(bench.directory, 'none'), ...words]);
      expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    },
  );

  test('state prints a line for each job, and with --snakemake a word', async () => {
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
    const states = [...JOBS.map(([jid]) => `${jid} ${jid === DEAD ? 'dead' : 'finished'}`), '10 pending', '11 holding'];
    expect(await bench.must(['QUEUE', 'state', '1-11'])).toBe(`${states.join('\n')}\n`);
    const words = [...JOBS.map(([, , status]) => (status === 0 ? 'success' : 'failed')), 'running', 'running'];
    expect(await bench.must(['QUEUE', 'state', '--snakemake', '1-11'])).toBe(`${words.join('\n')}\n`);
    expect(await bench.must(['QUEUE', 'state', '--snakemake', '9'])).toBe('failed\n');
    expect(JSON.parse(await bench.must(['QUEUE', 'state', '--json', '2']))).toEqual([{ jid: 2, state: 'finished' }]);
  });
});

describe('of a job that a feeder runs', () => {
  test.each(JOBS.filter(([jid]) => jid < DEAD))(
    '%i: run and submit --wait of %s exit with %i',
    async (_, command, status) => {
      const own = new Workbench();
      await own.must(['QUEUE', 'create']);
      const feeder = own.start(['QUEUE', 'feed', '-v1']);
      await waitFor(() => readdirSync(join(own.queue, 'nodes')).length > 0);
      const printed = await own.run(['QUEUE', 'run', `echo out; echo err >&2; ${command}`]);
      expect(printed).toMatchObject({ status, stdout: 'out\n' });
      expect(printed.stderr.startsWith('err\n')).toBe(true);
      const submitted = await own.run(['QUEUE', 'submit', '--wait', '--json', command]);
      expect({ status: submitted.status, stderr: submitted.stderr }).toEqual({ status, stderr: '' });
      expect(JSON.parse(submitted.stdout)).toMatchObject([
        { jid: 2, state: expect.stringMatching('') as string, command },
      ]);
      feeder.child.kill('SIGTERM');
      await feeder.ended;
    },
  );
});

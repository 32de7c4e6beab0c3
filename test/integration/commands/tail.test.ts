import { type ChildProcess, execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Ended, ROOT, Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

interface Tail {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The output so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
}

async function newBench(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

function tail(bench: Workbench, ...words: string[]): Tail {
  const { child, ended } = bench.start(['QUEUE', 'tail', ...words]);
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (text: string) => {
      printed[name] += text;
    });
  }
  return { child, ended, stdout: () => printed.stdout, stderr: () => printed.stderr };
}

/** A shell command that waits until the test opens a gate of this name. */
function gate(bench: Workbench, name: string): string {
  return `while [ ! -e ${join(bench.directory, name)} ]; do sleep 0.05; done`;
}

function open(bench: Workbench, name: string): void {
  writeFileSync(join(bench.directory, name), '');
}

async function submit(bench: Workbench, command: string, ...words: string[]): Promise<void> {
  await bench.must(['QUEUE', 'submit', '-q', ...words, command]);
}

test('lines of a running job are printed while it runs, and tail ends with the job', async () => {
  const bench = await newBench();
  await submit(bench, `echo one; ${gate(bench, 'a')}; echo two; ${gate(bench, 'b')}; printf three; exit 3`);
  const feeder = bench.start(['QUEUE', 'feed', '--until-empty']);
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  const tailed = tail(bench, '1');
  await waitFor(() => tailed.stdout() === 'one\n');
  open(bench, 'a');
  await waitFor(() => tailed.stdout() === 'one\ntwo\n');
  expect(await bench.jobs('running')).toHaveLength(1);
  open(bench, 'b');
  expect(await tailed.ended).toEqual({
    status: 0,
    signal: null,
    stdout: 'one\ntwo\nthree',
    stderr: 'rq: job 1 finished with exit status 3\n',
  });
  await feeder.ended;
});

test('tail waits for a pending job and prints every byte, binary output included', async () => {
  const bench = await newBench();
  const copy = join(bench.directory, 'copy');
  await submit(bench, `head -c 5000000 /dev/urandom | tee ${copy}`);
  const command = (name: string): string =>
    `${ROOT}bin/rq ${bench.queue} tail 1 --from-start >${name} 2>${name}.diagnostics`;
  const options = { cwd: bench.directory, env: bench.environment };
  const live = promisify(execFile)('bash', ['-c', command('live')], options);
  const diagnostics = join(bench.directory, 'live.diagnostics');
  await waitFor(
    () => existsSync(diagnostics) && readFileSync(diagnostics, 'utf8').includes('job 1 is pending; waiting for'),
  );
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  await live;
  await promisify(execFile)('bash', ['-c', command('late')], options);
  const bytes = readFileSync(copy);
  expect(bytes).toHaveLength(5_000_000);
  for (const name of ['live', 'late']) expect(readFileSync(join(bench.directory, name)).equals(bytes)).toBe(true);
});

test('pending and holding jobs are reported once, and tail stops waiting for a deleted job', async () => {
  const bench = await newBench();
  await submit(bench, 'echo ran');
  await submit(bench, 'true', '--stage');
  const tailed = tail(bench, '1,2');
  const waits = 'rq: job 1 is pending; waiting for it to start\nrq: job 2 is holding; waiting for it to start\n';
  await waitFor(() => tailed.stderr() === waits);
  await bench.must(['QUEUE', 'delete', '-q', '2']);
  await waitFor(() => tailed.stderr() === `${waits}rq: job 2 was deleted\n`);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  const { status, stdout, stderr } = await tailed.ended;
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: '==> job 1 stdout <==\nran\n',
    stderr: `${waits}rq: job 2 was deleted\n`,
  });
});

test('with several jobs, a header precedes the output of each', async () => {
  const bench = await newBench();
  await submit(bench, `echo a1; ${gate(bench, 'a')}; echo a2`);
  await submit(bench, `${gate(bench, 'b')}; echo b1`);
  const feeder = bench.start(['QUEUE', 'feed', '--until-empty', '--max_feed=2']);
  await waitFor(async () => (await bench.jobs('running')).length === 2);
  const tailed = tail(bench, 'running');
  await waitFor(() => tailed.stdout().endsWith('a1\n'));
  open(bench, 'b');
  await waitFor(() => tailed.stdout().endsWith('b1\n'));
  open(bench, 'a');
  const { status, stdout, stderr } = await tailed.ended;
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toBe('==> job 1 stdout <==\na1\n\n==> job 2 stdout <==\nb1\n\n==> job 1 stdout <==\na2\n');
  await feeder.ended;
});

test('of ended jobs, tail prints the last lines and how they ended', async () => {
  const bench = await newBench();
  await submit(bench, 'seq 100; seq 200 300 >&2');
  await submit(bench, 'echo killed; kill -USR1 $$');
  await submit(bench, 'true');
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  const dead = "UPDATE jobs SET state = 'dead', exit_status = NULL, reason = 'no such place' WHERE jid = 3";
  await bench.must(['QUEUE', 'execute', dead]);
  expect(await bench.must(['QUEUE', 'tail', '1'])).toBe('91\n92\n93\n94\n95\n96\n97\n98\n99\n100\n');
  expect(await bench.must(['QUEUE', 'tail', '1', '-n', '2', '--stderr'])).toBe('299\n300\n');
  expect(await bench.must(['QUEUE', 'tail', '1', '--lines', '0'])).toBe('');
  expect(await bench.must(['QUEUE', 'tail', '1', '--from-start'])).toMatch(/^1\n2\n(?:\d+\n)*100\n$/);
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'tail', 'all', '-n1']);
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: '==> job 1 stdout <==\n100\n\n==> job 2 stdout <==\nkilled\n',
  });
  expect(stderr).toMatch(/^rq: job 2 was ended by SIGUSR1\nrq: job 3 is dead: .*no such place.*\n$/);
});

test('the output of a job that starts again is printed from the beginning', async () => {
  const bench = await newBench();
  await submit(bench, `echo $$ begins; ${gate(bench, 'a')}; echo ends`, '--restartable');
  const first = bench.start(['QUEUE', 'feed']);
  const tailed = tail(bench, '1');
  await waitFor(() => /^\d+ begins\n$/.test(tailed.stdout()));
  await bench.must(['QUEUE', 'stop']);
  await first.ended;
  // Wait until the runner of the last feeder has ended: this test is not about its shutdown.
  await waitFor(() => bench.processes().join() === String(tailed.child.pid));
  await waitFor(() => tailed.stderr().includes('job 1 is pending again; waiting for it to start'));
  const second = bench.start(['QUEUE', 'feed', '--until-empty']);
  await waitFor(() => /^\d+ begins\n\d+ begins\n$/.test(tailed.stdout()));
  open(bench, 'a');
  const { status, stdout, stderr } = await tailed.ended;
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\d+ begins\n\d+ begins\nends\n$/);
  expect(stderr).toContain('job 1 started again as attempt 2; printing its stdout from the beginning');
  await second.ended;
});

test('the output of an earlier attempt of a pending job is not printed', async () => {
  const bench = await newBench();
  await submit(bench, 'echo once; exec sleep 1000', '--restartable');
  const first = bench.start(['QUEUE', 'feed']);
  await waitFor(async () => (await bench.run(['QUEUE', 'stdout', '1'])).stdout === 'once\n');
  await bench.must(['QUEUE', 'stop']);
  await first.ended;
  const tailed = tail(bench, '1');
  await waitFor(() => tailed.stderr().includes('job 1 is pending; waiting'));
  tailed.child.kill('SIGINT');
  expect(await tailed.ended).toMatchObject({ signal: 'SIGINT', stdout: '' });
});

test('tail ends silently when its reader exits; no selection and no matching job are errors', async () => {
  const bench = await newBench();
  await submit(bench, 'seq 100000');
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  const line = `${ROOT}bin/rq ${bench.queue} tail 1 --from-start | head -1; echo $PIPESTATUS`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', line], { env: bench.environment });
  expect({ stdout, stderr }).toEqual({ stdout: '1\n0\n', stderr: '' });
  expect(await bench.run(['QUEUE', 'tail', '9'])).toMatchObject({
    status: 3,
    stdout: '',
    stderr: `rq: cannot tail: no job in ${bench.queue} matches 9\n`,
  });
  expect(await bench.run(['QUEUE', 'tail'])).toMatchObject({ status: 2, stdout: '' });
  expect(await bench.must(['QUEUE', 'tail', '-', '-n1'], { input: 'jid: 1\n' })).toBe('100000\n');
});

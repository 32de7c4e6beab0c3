import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gate, openGate, startLive } from '../../support/live.ts';
import { ROOT, Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

async function newBench(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  // Only the kernel can wake a waiter in time.
  await bench.must(['QUEUE', 'configure', 'min_sleep=0.05', 'max_sleep=3600']);
  return bench;
}

async function withFeeder(bench: Workbench, work: () => Promise<void>): Promise<void> {
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2', '-v1']);
  await waitFor(() => readdirSync(join(bench.queue, 'nodes')).length > 0);
  await work();
  feeder.child.kill('SIGTERM');
  await feeder.ended;
}

test('run copies stdout and stderr while the job writes them, and exits with its status', async () => {
  const bench = await newBench();
  await withFeeder(bench, async () => {
    const run = startLive(bench, ['run', `echo one; echo wrong >&2; ${gate(bench, 'a')}; printf two; exit 7`]);
    await waitFor(() => run.stdout() === 'one\n' && run.stderr() === 'wrong\n');
    openGate(bench, 'a');
    expect(await run.ended).toEqual({ status: 7, signal: null, stdout: 'one\ntwo', stderr: 'wrong\n' });
  });
  expect(await bench.jobs()).toMatchObject([{ jid: 1, state: 'finished', exit_status: 7 }]);
});

test('run takes the options of submit, and copies every byte', async () => {
  const bench = await newBench();
  const random = join(bench.directory, 'random');
  await withFeeder(bench, async () => {
    const words = ['--tag=t', '--stdin', '--', 'sh', '-c', `cat; head -c 3000000 /dev/urandom | tee ${random} >&2`];
    await bench.shell(`echo input | rq q run ${words.map((word) => `'${word}'`).join(' ')} >out 2>err`);
  });
  expect(readFileSync(join(bench.directory, 'out'), 'utf8')).toBe('input\n');
  expect(readFileSync(join(bench.directory, 'err')).equals(readFileSync(random))).toBe(true);
  expect(await bench.jobs()).toMatchObject([{ tag: 't' }]);
});

test('run reports how a job ended if the exit status does not tell', async () => {
  const bench = await newBench();
  await withFeeder(bench, async () => {
    const killed = await bench.run(['QUEUE', 'run', 'kill -TERM $$']);
    expect(killed).toMatchObject({ status: 143, stderr: 'rq: job 1 was ended by SIGTERM\n' });
    const run = startLive(bench, ['run', gate(bench, 'never')]);
    await waitFor(async () => (await bench.jobs('running')).length === 1);
    await bench.must([
      'QUEUE',
      'execute',
      "UPDATE jobs SET state = 'dead', finished = started, reason = 'lost' WHERE jid = 2",
    ]);
    expect(await run.ended).toMatchObject({ status: 126, stdout: '', stderr: 'rq: job 2: lost\n' });
    openGate(bench, 'never');
  });
});

test('without a feeder, run says so, and Ctrl-C kills the pending job', async () => {
  const bench = await newBench();
  const run = startLive(bench, ['run', 'true']);
  await waitFor(() => run.stderr().includes('job 1 is pending; waiting for it to start'));
  run.child.kill('SIGINT');
  const { status, stdout, stderr } = await run.ended;
  expect({ status, stdout }).toEqual({ status: 130, stdout: '' });
  expect(stderr).toMatch(
    /^rq: no host feeds from .*\nrq: job 1 is pending.*\nrq: job 1: killed before it began, by .*\n$/,
  );
  expect(await bench.jobs()).toMatchObject([{ state: 'dead' }]);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s kills the job of run, which ends with %i', async (signal, status) => {
  const bench = await newBench();
  await withFeeder(bench, async () => {
    const run = startLive(bench, ['run', `echo begun; ${gate(bench, 'a')}`]);
    await waitFor(() => run.stdout() === 'begun\n');
    run.child.kill(signal);
    const ended = await run.ended;
    expect(ended).toMatchObject({ status, stdout: 'begun\n' });
    expect(ended.stderr).toMatch(/^rq: job 1.*killed by .*: rq run was interrupted\n$/);
    expect(await bench.jobs()).toMatchObject([{ state: 'finished', signal: 'SIGTERM' }]);
  });
});

test.each([
  ['SIGINT', 130, ['--detach']],
  ['SIGTERM', 143, ['--detach']],
] as const)(
  '%s ends run with %i and leaves a running job in the queue, with a line that says so',
  async (signal, status, words) => {
    const bench = await newBench();
    await withFeeder(bench, async () => {
      const run = startLive(bench, ['run', ...words, `echo begun; ${gate(bench, 'a')}`]);
      await waitFor(() => run.stdout() === 'begun\n');
      run.child.kill(signal);
      const ended = await run.ended;
      expect(ended).toMatchObject({ status, stdout: 'begun\n' });
      expect(ended.stderr).toMatch(/^rq: job 1 was left in the queue; follow its output with: rq .*\/q tail 1\n$/);
      expect(await bench.jobs('running')).toHaveLength(1);
      openGate(bench, 'a');
      await waitFor(async () => (await bench.jobs('finished')).length === 1);
    });
  },
);

test('with --detach, Ctrl-C leaves a pending job in the queue', async () => {
  const bench = await newBench();
  const run = startLive(bench, ['run', '--detach', 'true']);
  await waitFor(() => run.stderr() !== '');
  run.child.kill('SIGINT');
  expect((await run.ended).status).toBe(130);
  expect(await bench.jobs()).toMatchObject([{ jid: 1, state: 'pending' }]);
});

test('a second Ctrl-C ends run while it waits for the lease', async () => {
  const bench = await newBench();
  const run = startLive(bench, ['run', 'true']);
  await waitFor(() => run.stderr() !== '');
  const holder = bench.start(['QUEUE', 'lock', 'read', '--', 'sh', '-c', `touch held; ${gate(bench, 'a')}`]);
  await waitFor(() => existsSync(join(bench.directory, 'held')));
  run.child.kill('SIGINT');
  run.child.kill('SIGTERM');
  const { status, signal } = await run.ended;
  // The kernel may deliver the two in either order.
  expect({ status, signal }).toEqual({ status: null, signal: expect.stringMatching(/^SIG(INT|TERM)$/) as string });
  openGate(bench, 'a');
  await holder.ended;
  expect(await bench.jobs()).toHaveLength(1);
});

test('if the reader of stdout has gone, run ends as by SIGPIPE', async () => {
  const bench = await newBench();
  await withFeeder(bench, async () => {
    const line = `{ ${ROOT}bin/rq q run 'yes | head -c 3000000'; echo $? >status; } | head -1; cat status`;
    expect((await bench.shell(line)).stdout).toBe('y\n141\n');
    await waitFor(async () => (await bench.jobs('finished')).length === 1);
  });
});

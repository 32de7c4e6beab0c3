import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { describeSmallDisk, fill, smallDisk } from '../../support/small-disk.ts';
import { waitFor } from '../../support/wait-for.ts';

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

/** Starts a feeder. `hasLogged` searches its log so far. */
function feeding(bench: Workbench, words: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const feeder = bench.start(['QUEUE', 'feed', ...words], { environment });
  const log: string[] = [];
  feeder.child.stderr?.on('data', (text: string) => void log.push(text));
  return { ...feeder, hasLogged: (text: string | RegExp): boolean => log.join('').search(text) >= 0 };
}

async function runnerOf(bench: Workbench): Promise<number> {
  return (JSON.parse(await bench.must(['QUEUE', 'pid', '--json'])) as { runner: number }).runner;
}

test('a feeder survives a runner that stops answering until its calls time out', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', 'until [ -e go ]; do sleep 0.05; done; exit 3']);
  const feeder = feeding(bench, ['--max_feed=2', '--min_sleep=0.1', '--max_sleep=0.2']);
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  const runner = await runnerOf(bench);
  process.kill(runner, 'SIGSTOP');
  try {
    await bench.must(['QUEUE', 'submit', '-q', 'exit 4']);
    await waitFor(() => feeder.hasLogged('lost the runner') && feeder.hasLogged(/error .*runner/), 90_000);
  } finally {
    process.kill(runner, 'SIGCONT');
  }
  writeFileSync(join(bench.directory, 'go'), '');
  await waitFor(async () => (await bench.jobs('finished')).length === 2, 90_000);
  expect(await bench.jobs()).toMatchObject([{ exit_status: 3, attempt: 1 }, { exit_status: 4 }]);
  feeder.child.kill('SIGTERM');
  expect((await feeder.ended).status).toBe(0);
});

test('a job that ends before stop can kill it keeps its own exit status', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', 'until [ -e go ]; do sleep 0.05; done; exit 5']);
  await bench.must(['QUEUE', 'submit', '-q', 'sleep 1000']);
  const feeder = feeding(bench, ['--max_feed=2']);
  await waitFor(async () => (await bench.jobs('running')).every(({ pid }) => pid !== undefined));
  await waitFor(async () => (await bench.jobs('running')).filter(({ pid }) => pid !== undefined).length === 2);
  const [first] = await bench.jobs('1');
  feeder.child.kill('SIGSTOP');
  writeFileSync(join(bench.directory, 'go'), '');
  await waitFor(() => !existsSync(`/proc/${first?.['pid']}`));
  feeder.child.kill('SIGQUIT');
  feeder.child.kill('SIGCONT');
  expect((await feeder.ended).status).toBe(0);
  expect(await bench.jobs()).toMatchObject([
    { state: 'finished', exit_status: 5, attempt: 1 },
    { state: 'finished', signal: 'SIGTERM', reason: expect.stringMatching(/^killed by rq stop on /) },
  ]);
});

test('a job that ends while stop cannot reach the runner keeps its own exit status', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', 'until [ -e go ]; do sleep 0.05; done; exit 5']);
  const feeder = feeding(bench, ['--max_feed=2']);
  await waitFor(async () => (await bench.jobs('running')).some(({ pid }) => pid !== undefined));
  const [first] = await bench.jobs('1');
  const runner = await runnerOf(bench);
  process.kill(runner, 'SIGSTOP');
  try {
    feeder.child.kill('SIGQUIT');
    await waitFor(() => feeder.hasLogged('killing all running jobs'));
    writeFileSync(join(bench.directory, 'go'), '');
    await waitFor(() => !existsSync(`/proc/${first?.['pid']}`));
    await waitFor(() => feeder.hasLogged('lost the runner'));
  } finally {
    process.kill(runner, 'SIGCONT');
  }
  expect((await feeder.ended).status).toBe(0);
  expect(await bench.jobs()).toMatchObject([{ state: 'finished', exit_status: 5, attempt: 1 }]);
});

test('stop kills a job again if the runner was killed after the first request', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'configure', 'kill_grace=2']);
  await bench.must(['QUEUE', 'submit', '-q', "trap '' TERM; touch trapped; while :; do sleep 1; done"]);
  const feeder = feeding(bench, ['--max_feed=1']);
  await waitFor(() => existsSync(join(bench.directory, 'trapped')));
  const runner = await runnerOf(bench);
  feeder.child.kill('SIGQUIT');
  await waitFor(() => feeder.hasLogged('killing all running jobs'));
  process.kill(runner, 'SIGKILL');
  expect((await feeder.ended).status).toBe(0);
  expect(await bench.jobs()).toMatchObject([{ state: 'finished', signal: 'SIGKILL' }]);
  expect(bench.processes()).toEqual([]);
});

describeSmallDisk('a full runtime directory', () => {
  test('keeps a host from claiming, and another host runs the jobs', async () => {
    const bench = await newQueue();
    const small = join(bench.directory, 'small');
    smallDisk(small, '2m');
    const feeder = feeding(bench, ['--max_feed=2', '--min_sleep=0.1', '--max_sleep=0.2'], {
      RQ_HOST: 'full',
      RQ_RUNTIME_DIR: join(small, 'run'),
    });
    await waitFor(() => feeder.hasLogged('feeder started'));
    const filler = fill(small);
    // The last page of the journal still has room for some entries.
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'true\n'.repeat(200) });
    await waitFor(() => feeder.hasLogged(/cannot start jobs on this host.*ms=[1-9]\d{3}/), 60_000);
    const other = feeding(bench, ['--until-empty'], { RQ_HOST: 'other' });
    await waitFor(async () => (await bench.counts())['finished'] === 200, 60_000);
    const jobs = await bench.jobs();
    expect(jobs.every(({ exit_status }) => exit_status === 0)).toBe(true);
    expect(Math.max(...jobs.map(({ attempt }) => Number(attempt)))).toBeLessThanOrEqual(8);
    rmSync(filler);
    feeder.child.kill('SIGTERM');
    other.child.kill('SIGTERM');
    expect((await feeder.ended).status).toBe(0);
    expect((await other.ended).status).toBe(0);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeCrontab } from '../../support/fake-crontab.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const PRINT = 'echo "$CUDA_VISIBLE_DEVICES|$ROCR_VISIBLE_DEVICES|$CUDA_DEVICE_ORDER|$RQ_GPUS|$RQ_DEVICES"';
const WAIT = 'until [ -e go ]; do sleep 0.02; done';

type Job = Record<string, unknown>;

async function benchWithQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

/** A second queue of the same user and host. */
async function secondQueue({ directory, environment }: Workbench): Promise<Workbench> {
  const bench = new Workbench();
  Object.assign(bench.environment, { RQ_RUNTIME_DIR: environment['RQ_RUNTIME_DIR'], HOME: directory });
  await bench.must(['QUEUE', 'create']);
  return bench;
}

async function submit(bench: Workbench, count: number, gpus: number, command = WAIT): Promise<void> {
  const options = gpus === 0 ? [] : [`--gpus=${gpus}`];
  await bench.must(['QUEUE', 'submit', '-q', ...options, '-'], { input: `${command}\n`.repeat(count) });
}

/** The running jobs, when there are this many and all of them have started. */
async function runningJobs(bench: Workbench, count: number): Promise<Job[]> {
  const started = async (): Promise<Job[]> => (await bench.jobs('running')).filter(({ pid }) => Number(pid) > 0);
  await waitFor(async () => (await started()).length === count);
  return await started();
}

function devicesOf(jobs: readonly Job[]): string[] {
  return jobs.flatMap(({ devices }) => String(devices).split(',')).sort();
}

async function feederPids(bench: Workbench): Promise<Record<'pid' | 'runner', number>> {
  return JSON.parse(await bench.must(['QUEUE', 'feeder', '--json'])) as Record<'pid' | 'runner', number>;
}

async function gpusOfNode(bench: Workbench): Promise<unknown> {
  const [node] = JSON.parse(await bench.must(['QUEUE', 'nodes', '--json'])) as Job[];
  return node?.['gpus'];
}

async function finish(bench: Workbench, count: number): Promise<void> {
  writeFileSync(join(bench.directory, 'go'), '');
  await waitFor(async () => (await bench.counts())['finished'] === count);
  await bench.must(['QUEUE', 'shutdown']);
}

test('of five jobs with a GPU, four run on a host with four, on distinct ones, and the fifth waits', async () => {
  const bench = await benchWithQueue();
  await submit(bench, 5, 1);
  await bench.must(['QUEUE', 'start', '-q', '--max_feed=8', '--gpus=4']);
  expect(devicesOf(await runningJobs(bench, 4))).toEqual(['0', '1', '2', '3']);
  // A job that fits starts, so the feeder has had its chance to start the fifth one as well.
  await submit(bench, 1, 0);
  await runningJobs(bench, 5);
  expect(await bench.jobs('pending')).toMatchObject([{ jid: 5, gpus: 1 }]);
  await bench.must(['QUEUE', 'kill', '2']);
  const [, , , fifth] = (await runningJobs(bench, 5)).filter(({ gpus }) => gpus === 1);
  const [killed] = await bench.jobs('2');
  expect(fifth).toMatchObject({ jid: 5, devices: killed?.['devices'] });
  await finish(bench, 6);
  expect(await gpuAttempts(bench)).toBe(5);
});

/** The number of ended jobs that have devices on record. */
async function gpuAttempts(bench: Workbench): Promise<number> {
  return (await bench.jobs('finished')).filter(({ devices }) => devices !== undefined).length;
}

test('a job with two GPUs waits until two are free, and does not get GPUs that others use', async () => {
  const bench = await benchWithQueue();
  await submit(bench, 2, 1);
  await bench.must(['QUEUE', 'start', '-q', '--max_feed=8', '--gpus=3-5']);
  await runningJobs(bench, 2);
  await submit(bench, 1, 2);
  await submit(bench, 1, 1);
  expect(devicesOf(await runningJobs(bench, 3))).toEqual(['3', '4', '5']);
  expect(await bench.jobs('pending')).toMatchObject([{ jid: 3, gpus: 2 }]);
  await finish(bench, 4);
  expect(String((await bench.jobs('3'))[0]?.['devices'])).toMatch(/^[345],[345]$/);
});

test.each(['feeder is', 'feeder and runner are'])('jobs keep their GPUs while their %s killed', async (killed) => {
  const bench = await benchWithQueue();
  await bench.must(['QUEUE', 'start', '-q', '--max_feed=8', '--gpus=4']);
  await submit(bench, 3, 1);
  const before = await runningJobs(bench, 3);
  const { pid, runner } = await feederPids(bench);
  process.kill(pid, 'SIGKILL');
  if (killed !== 'feeder is') process.kill(runner, 'SIGKILL');
  await submit(bench, 2, 1);
  await bench.must(['QUEUE', 'start', '-q', '--max_feed=8', '--gpus=4']);
  const after = await runningJobs(bench, 4);
  expect(after.slice(0, 3).map(({ devices }) => devices)).toEqual(before.map(({ devices }) => devices));
  expect(devicesOf(after)).toEqual(['0', '1', '2', '3']);
  await finish(bench, 5);
});

test('a feeder that is given fewer GPUs than before leaves the jobs of the former one theirs', async () => {
  const bench = await benchWithQueue();
  await bench.must(['QUEUE', 'start', '-q', '--max_feed=8', '--gpus=4']);
  await submit(bench, 3, 1);
  await runningJobs(bench, 3);
  process.kill((await feederPids(bench)).pid, 'SIGKILL');
  await submit(bench, 1, 1);
  await submit(bench, 1, 0);
  await bench.must(['QUEUE', 'start', '-q', '--max_feed=8', '--gpus=2']);
  // The job without GPUs starts, and the one with a GPU does not, although one of the first four would be free.
  expect((await runningJobs(bench, 4)).map(({ jid }) => jid)).toEqual([1, 2, 3, 5]);
  await finish(bench, 5);
  expect(['0', '1']).toContain((await bench.jobs('4'))[0]?.['devices']);
});

test('a second queue of the host gets none of these GPUs, and says so, until the first feeder has ended', async () => {
  const first = await benchWithQueue();
  const second = await secondQueue(first);
  expect((await first.run(['QUEUE', 'start', '-q', '--gpus=2'])).stderr).toBe('');
  const started = await second.run(['QUEUE', 'start', '-q', '--gpus=0-2']);
  expect(started).toMatchObject({ status: 0, stdout: '' });
  expect(started.stderr.trim().split('\n')).toEqual([
    expect.stringContaining(
      `the queue ${first.queue} uses the GPUs 0, 1 of this host, so this feeder does not give them`,
    ),
  ]);
  expect(await gpusOfNode(second)).toBe(1);
  await submit(second, 2, 1, PRINT);
  await waitFor(async () => (await second.counts())['finished'] === 2);
  expect([1, 2].map((jid) => second.stdout(jid).split('|')[0])).toEqual(['2', '2']);
  await second.must(['QUEUE', 'shutdown']);
  await first.must(['QUEUE', 'shutdown']);
  expect((await second.run(['QUEUE', 'start', '-q', '--gpus=2'])).stderr).toBe('');
  expect(await gpusOfNode(second)).toBe(2);
  await second.must(['QUEUE', 'shutdown']);
});

test('a second queue gets no GPU of a job whose feeder and runner were killed', async () => {
  const first = await benchWithQueue();
  const second = await secondQueue(first);
  await first.must(['QUEUE', 'start', '-q', '--gpus=2']);
  await submit(first, 1, 1);
  const [job] = await runningJobs(first, 1);
  const { pid, runner } = await feederPids(first);
  process.kill(pid, 'SIGKILL');
  process.kill(runner, 'SIGKILL');
  const { stderr } = await second.run(['QUEUE', 'start', '-q', '--gpus=2']);
  expect(stderr).toContain(`the queue ${first.queue} uses the GPUs ${job?.['devices']} of this host`);
  expect(await gpusOfNode(second)).toBe(1);
  await second.must(['QUEUE', 'shutdown']);
  await first.must(['QUEUE', 'start', '-q', '--gpus=2']);
  await finish(first, 1);
});

test('feeders that start at once divide the GPUs, and none has a GPU of another', async () => {
  const first = await benchWithQueue();
  const queues = [first, await secondQueue(first), await secondQueue(first)];
  await Promise.all(queues.map((each) => each.must(['QUEUE', 'start', '-q', '--gpus=6'])));
  const counts = await Promise.all(queues.map(gpusOfNode));
  expect(counts.reduce((sum: number, count) => sum + Number(count), 0)).toBe(6);
  for (const each of queues) await each.must(['QUEUE', 'shutdown']);
});

test('a job sees its GPUs and no others, and one without GPUs sees none', async () => {
  const bench = await benchWithQueue();
  await submit(bench, 1, 2, PRINT);
  await submit(bench, 1, 0, PRINT);
  await bench.must(['QUEUE', 'submit', '-q', '--env=CUDA_VISIBLE_DEVICES=1', PRINT]);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--gpus=2', '-v1']);
  expect([1, 2, 3].map((jid) => bench.stdout(jid))).toEqual([
    '0,1|0,1|PCI_BUS_ID|2|0,1\n',
    '||PCI_BUS_ID||\n',
    '||PCI_BUS_ID||\n',
  ]);
});

test('on a host whose GPUs rq leaves alone, jobs see what they would see without rq', async () => {
  const bench = await benchWithQueue();
  await submit(bench, 1, 0, PRINT);
  await submit(bench, 1, 1, PRINT);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--gpus=none', '-v1'], {
    environment: { CUDA_VISIBLE_DEVICES: '7' },
  });
  expect(bench.stdout(1)).toBe('7||||\n');
  expect(await bench.jobs('pending')).toMatchObject([{ jid: 2 }]);
});

test('GPUs that nvidia-smi lists are given to jobs by UUID', async () => {
  const bench = await benchWithQueue();
  const { bin, environment } = new FakeCrontab(bench.directory);
  const lines = ['a', 'b'].map((id, index) => `GPU ${index}: NVIDIA T4 (UUID: GPU-${id})`);
  writeFileSync(join(bin, 'nvidia-smi'), `#!/bin/sh\nprintf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}\n`, {
    mode: 0o755,
  });
  Object.assign(bench.environment, { PATH: environment['PATH'] });
  await submit(bench, 1, 2, PRINT);
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  expect(bench.stdout(1)).toBe('GPU-a,GPU-b||PCI_BUS_ID|2|GPU-a,GPU-b\n');
  expect(await bench.jobs()).toMatchObject([{ devices: 'GPU-a,GPU-b' }]);
  const refused = await bench.run(['QUEUE', 'start', '--gpus=3']);
  expect(refused).toMatchObject({ status: 2, stdout: '' });
  expect(refused.stderr).toMatch(/^rq: cannot feed with --gpus 3: this host has 2; give a smaller number\n$/);
  // Another queue finds the same GPUs under the same names, however it names them.
  const second = await secondQueue(bench);
  Object.assign(second.environment, { PATH: environment['PATH'] });
  await bench.must(['QUEUE', 'start', '-q']);
  const { stderr } = await second.run(['QUEUE', 'start', '-q', '--gpus=1-1']);
  expect(stderr).toContain('uses the GPUs GPU-b of this host');
  await second.must(['QUEUE', 'shutdown']);
  await bench.must(['QUEUE', 'shutdown']);
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** A job that writes the time of its start and of its end to its stdout, and in between waits for the file `go`. */
const RECORD = 'date +%s.%N; until [ -e go ]; do sleep 0.02; done; date +%s.%N';
const SHORT = 'date +%s.%N; sleep 0.3; date +%s.%N';

async function benchWithQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

async function submit(bench: Workbench, count: number, options: readonly string[], command: string): Promise<void> {
  await bench.must(['QUEUE', 'submit', '-q', ...options, '-'], { input: `${command}\n`.repeat(count) });
}

async function running(bench: Workbench): Promise<Record<string, unknown>[]> {
  return (await bench.jobs('running')).filter(({ pid }) => Number(pid) > 0);
}

/** The largest sum of the sizes of jobs that ran at the same time, by their own records. */
async function largestSum(bench: Workbench, size: (job: Record<string, unknown>) => number): Promise<number> {
  const changes = (await bench.jobs('finished')).flatMap((job) => {
    const [began = 0, ended = 0] = bench.stdout(Number(job['jid'])).trim().split('\n').map(Number);
    return [
      [began, size(job)],
      [ended, -size(job)],
    ] as const;
  });
  let sum = 0;
  let largest = 0;
  for (const [, change] of changes.sort(([a, first], [b, second]) => a - b || first - second)) {
    sum += change;
    largest = Math.max(largest, sum);
  }
  return largest;
}

const cpusOf = ({ cpus }: Record<string, unknown>): number => Number(cpus ?? 1);

test('jobs of two cpus on a host of four cpus run two at a time', async () => {
  const bench = await benchWithQueue();
  await submit(bench, 8, ['--cpus=2'], SHORT);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=4', '-v1']);
  expect(await bench.counts()).toMatchObject({ finished: 8, pending: 0 });
  expect(await largestSum(bench, cpusOf)).toBe(4);
});

test('jobs of different sizes never take more cpus than the host has, and all of them run', async () => {
  const bench = await benchWithQueue();
  for (const cpus of [3, 1, 2, 1, 4, 1, 2]) await submit(bench, 2, [`--cpus=${cpus}`], SHORT);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=4', '-v1']);
  expect(await bench.counts()).toMatchObject({ finished: 14, pending: 0 });
  expect(await largestSum(bench, cpusOf)).toBeLessThanOrEqual(4);
});

test('a job that needs more cpus than the host has does not run, and delays no other job', async () => {
  const bench = await benchWithQueue();
  await submit(bench, 1, ['--cpus=5', '--priority=9'], 'true');
  await submit(bench, 3, [], 'true');
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=4', '-v1']);
  expect(await bench.counts()).toMatchObject({ finished: 3, pending: 1 });
});

test('the next feeder counts the cpus of jobs that a killed feeder and a killed runner left running', async () => {
  const bench = await benchWithQueue();
  await bench.must(['QUEUE', 'start', '-q', '--max_feed=4']);
  await submit(bench, 1, ['--cpus=3'], RECORD);
  await waitFor(async () => (await running(bench)).length === 1);
  const { pid, runner } = JSON.parse(await bench.must(['QUEUE', 'feeder', '--json'])) as Record<string, number>;
  for (const each of [pid, runner]) process.kill(Number(each), 'SIGKILL');
  await submit(bench, 2, ['--cpus=2'], RECORD);
  await submit(bench, 1, [], RECORD);
  await bench.must(['QUEUE', 'start', '-q', '--max_feed=4']);
  // The job of one cpu fits beside that of three, and those of two cpus do not.
  await waitFor(async () => (await running(bench)).length === 2);
  expect((await running(bench)).map(cpusOf)).toEqual([3, 1]);
  const nodes = JSON.parse(await bench.must(['QUEUE', 'nodes', '--json'])) as unknown[];
  expect(nodes).toMatchObject([{ slots: 4, cpus: 4, running: 2, used: { cpus: 4, memory: 0, gpus: 0 } }]);
  writeFileSync(join(bench.directory, 'go'), '');
  await waitFor(async () => (await bench.counts())['finished'] === 4);
  await bench.must(['QUEUE', 'shutdown']);
  expect(await largestSum(bench, cpusOf)).toBe(4);
});

test('jobs do not reserve more memory than the host has, and a job without a reservation runs beside them', async () => {
  const bench = await benchWithQueue();
  await submit(bench, 3, ['--memory=1G'], RECORD);
  await submit(bench, 1, ['--memory=3G'], RECORD);
  await submit(bench, 1, [], RECORD);
  await bench.must(['QUEUE', 'start', '-q', '--max_feed=8', '--memory=2G']);
  await waitFor(async () => (await running(bench)).length === 3);
  expect((await running(bench)).map(({ memory }) => memory)).toEqual([2 ** 30, 2 ** 30, undefined]);
  const nodes = JSON.parse(await bench.must(['QUEUE', 'nodes', '--json'])) as unknown[];
  expect(nodes).toMatchObject([{ memory: 2 ** 31, used: { cpus: 3, memory: 2 ** 31 } }]);
  writeFileSync(join(bench.directory, 'go'), '');
  await waitFor(async () => (await bench.counts())['finished'] === 4);
  await bench.must(['QUEUE', 'shutdown']);
  expect(await bench.jobs('pending')).toMatchObject([{ memory: 3 * 2 ** 30 }]);
  expect(await largestSum(bench, ({ memory }) => Number(memory ?? 0))).toBeLessThanOrEqual(2 ** 31);
});

test('jobs that need a resource run only where it is, and not more of them than there is of it', async () => {
  const bench = await benchWithQueue();
  await submit(bench, 3, ['--need=licence=2', '--need=port=1'], SHORT);
  await submit(bench, 1, ['--need=other=1'], SHORT);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=8', '-v1']);
  expect(await bench.counts()).toMatchObject({ finished: 0, pending: 4 });
  const have = ['--have=licence=4', '--have', 'port=9'];
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=8', '-v1', ...have]);
  expect(await bench.counts()).toMatchObject({ finished: 3, pending: 1 });
  expect(await largestSum(bench, () => 2)).toBe(4);
});

test('a feeder keeps what the host has through a restart, and prints it with the nodes', async () => {
  const bench = await benchWithQueue();
  const options = ['--max_feed=3', '--memory=5G', '--gpus=2', '--have=licence=2,port=1', '--have=seat=4'];
  await bench.must(['QUEUE', 'start', '-q', ...options]);
  const shown = async (): Promise<unknown> => {
    const [node] = JSON.parse(await bench.must(['QUEUE', 'nodes', '--json'])) as Record<string, unknown>[];
    const { cpus, memory, gpus, have } = node ?? {};
    return { cpus, memory, gpus, have };
  };
  const expected = { cpus: 3, memory: 5 * 2 ** 30, gpus: 2, have: { licence: 2, port: 1, seat: 4 } };
  expect(await shown()).toEqual(expected);
  await bench.must(['QUEUE', 'restart']);
  expect(await shown()).toEqual(expected);
  expect(await bench.must(['QUEUE', 'nodes', '--plain', '-f', 'gpus,have'])).toBe(
    '2\t{"licence":2,"port":1,"seat":4}\n',
  );
  expect(await bench.must(['QUEUE', 'cron', 'tab', ...options])).toContain(
    'start --quiet --max_feed=3 --memory=5G --gpus=2 --have=licence=2,port=1,seat=4',
  );
  await bench.must(['QUEUE', 'shutdown']);
});

test('a job sees the number of its cpus, and OMP_NUM_THREADS unless it is set', async () => {
  const bench = await benchWithQueue();
  const print = 'echo $RQ_CPUS $OMP_NUM_THREADS';
  await submit(bench, 1, ['--cpus=3'], print);
  await submit(bench, 1, [], print);
  await submit(bench, 1, ['--cpus=3', '--env=OMP_NUM_THREADS=7'], print);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=4', '-v1']);
  expect([1, 2, 3].map((jid) => bench.stdout(jid))).toEqual(['3 3\n', '1 1\n', '3 7\n']);
  writeFileSync(join(bench.directory, '.profile'), 'export OMP_NUM_THREADS=5\n');
  await submit(bench, 1, ['--cpus=3'], print);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=4', '-v1']);
  expect(bench.stdout(4)).toBe('3 5\n');
});

test.each([
  [['--memory=lots'], '--memory must be a size, such as 512M or 4G, from 16M to 1024T, not "lots"'],
  [['--memory=1M'], '--memory must be a size, such as 512M or 4G, from 16M to 1024T, not 1M'],
  [
    ['--gpus=0'],
    '--gpus must be a number from 1 to 1024, a list of indices, ranges and UUIDs, such as 0,2 or 2-3, or none',
  ],
  [['--gpus=0,0'], '--gpus names 0 twice'],
  [
    ['--have=licence'],
    '--have must be names and numbers of resources, separated by commas, such as licence=2,port=1, not',
  ],
  [['--have=a=1', '--have=a=2'], '--have must name each resource once, and names a twice'],
])('a feeder with %j is refused, in the foreground, in the background and with cron', async (options, message) => {
  const bench = await benchWithQueue();
  for (const command of [['feed'], ['start'], ['cron', 'tab']]) {
    const { status, stdout, stderr } = await bench.run(['QUEUE', ...command, ...options]);
    expect({ status, stdout, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, stdout: '', lines: 1 });
    expect(stderr).toContain(`cannot feed: ${message}`);
  }
  expect((await bench.run(['QUEUE', 'pid'])).status).toBe(1);
});

test.each([
  [['--cpus=0'], 'cpus'],
  [['--gpus=0'], 'gpus must be a whole number from 1 to 1024, not 0'],
  [['--gpus=two'], 'gpus must be a whole number from 1 to 1024, not "two"'],
  [['--need=licence'], 'needs must be names and numbers of resources'],
  [['--need=a=1', '--need=a=1'], 'needs must name each resource once, and names a twice'],
])('a job with %j is refused', async (options, message) => {
  const bench = await benchWithQueue();
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'submit', ...options, 'true']);
  expect({ status, stdout, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, stdout: '', lines: 1 });
  expect(stderr).toContain(message);
  expect(await bench.jobs()).toEqual([]);
});

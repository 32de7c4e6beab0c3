import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const FAST = ['--min_sleep=0.1', '--max_sleep=0.3'];

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

async function attempts(bench: Workbench): Promise<Record<string, unknown>[]> {
  const sql = 'SELECT attempt, runner, exit_status, signal, started, finished FROM attempts ORDER BY attempt';
  return JSON.parse(await bench.must(['QUEUE', 'execute', '--json', sql])) as Record<string, unknown>[];
}

test('a job that fails is retried under its jid after a pause that doubles, and each attempt is kept', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', '--retries=3', '--backoff=1s..1h', '[ $RQ_ATTEMPT = 3 ] || exit 7']);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST]);
  expect(await bench.jobs()).toMatchObject([{ jid: 1, state: 'finished', exit_status: 0, attempt: 3 }]);
  const rows = await attempts(bench);
  expect(rows.map(({ attempt, exit_status }) => [attempt, exit_status])).toEqual([
    [1, 7],
    [2, 7],
    [3, 0],
  ]);
  const pauses = [1, 2].map(
    (next) => Date.parse(String(rows[next]?.['started'])) - Date.parse(String(rows[next - 1]?.['finished'])),
  );
  // Four fifths of 1 s and 2 s at least.
  expect(pauses[0]).toBeGreaterThanOrEqual(790);
  expect(pauses[1]).toBeGreaterThanOrEqual(1590);
});

test('a feeder that ends with the queue waits for a retry, although it claimed other jobs in the meantime', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', '--retries=1', '--backoff=2s', '[ $RQ_ATTEMPT = 2 ]']);
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'true\ntrue\n' });
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=1', ...FAST]);
  expect(await bench.jobs()).toMatchObject([
    { jid: 1, state: 'finished', attempt: 2 },
    { jid: 2, state: 'finished' },
    { jid: 3, state: 'finished' },
  ]);
});

test('a job has failed when no retry is left, and resubmit starts the count again', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', '--retries=1', '--backoff=0s', 'kill -SEGV $$']);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST]);
  expect(await bench.jobs('failed')).toMatchObject([{ state: 'finished', signal: 'SIGSEGV', attempt: 2 }]);
  await bench.must(['QUEUE', 'resubmit', '-q', '1']);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST]);
  expect(await bench.jobs('failed')).toMatchObject([{ state: 'finished', attempt: 4 }]);
});

test.each([
  ['3,64-78', 'exit 70', 2],
  ['3,64-78', 'exit 4', 1],
  ['SIGKILL', 'kill -KILL $$', 2],
  ['kill', 'kill -TERM $$', 1],
])('with --retry-on %s, "%s" begins %d times', async (retryOn, command, count) => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', '--retries=1', '--backoff=0s', '--retry-on', retryOn, command]);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST]);
  expect(await bench.jobs()).toMatchObject([{ state: 'finished', attempt: count }]);
});

test('while a job waits for its retry, it shows when it is due, and a kill ends it', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', '--retries=3', '--backoff=1h', 'exit 1']);
  const feeder = bench.start(['QUEUE', 'feed', '--until-empty', ...FAST]);
  await waitFor(async () => (await bench.jobs('pending'))[0]?.['due'] !== undefined);
  const [waiting] = await bench.jobs();
  expect(waiting).toMatchObject({ state: 'pending', attempt: 1, retries: 3 });
  const minutes = (Date.parse(String(waiting?.['due'])) - Date.now()) / 60_000;
  expect(minutes).toBeGreaterThan(40);
  expect(minutes).toBeLessThanOrEqual(60);
  await bench.must(['QUEUE', 'kill', '-q', '1']);
  await feeder.ended;
  expect(await bench.jobs()).toMatchObject([
    { state: 'dead', attempt: 1, reason: expect.stringMatching(/^killed before it began/) as string },
  ]);
});

test('a job that fails on one of three hosts succeeds on another at its second try', async () => {
  const bench = await newQueue();
  const feeders = ['a', 'b', 'c'].map((host) => {
    const environment = { RQ_HOST: host, RQ_RUNTIME_DIR: `${bench.directory}/run-${host}` };
    return { environment, ...bench.start(['QUEUE', 'feed', ...FAST], { environment }) };
  });
  await waitFor(async () => (await bench.must(['QUEUE', 'nodes', '--fields', 'host'])).match(/host:/g)?.length === 3);
  const command = '[ "$RQ_RUNNER" != a ] || exit 9';
  await bench.must(['QUEUE', 'submit', '-q', '--retries=3', '--backoff=0s', '-'], {
    input: `${command}\n`.repeat(12),
  });
  await waitFor(async () => (await bench.jobs('finished')).length === 12);
  const jobs = await bench.jobs();
  expect(jobs.map(({ exit_status }) => exit_status)).toEqual(Array(12).fill(0));
  expect(Math.max(...jobs.map(({ attempt }) => Number(attempt)))).toBeLessThanOrEqual(2);
  for (const { environment, ended } of feeders) {
    await bench.must(['QUEUE', 'shutdown'], { environment });
    await ended;
  }
});

test.each([
  ['--retries=-1', /retries/],
  ['--retries=1000000', /retries/],
  ['--backoff=soon', /backoff must be a duration/],
  ['--backoff=1h..1m', /longer than the second/],
  ['--backoff=60d', /at most 30d/],
  ['--retry-on=0', /exit statuses from 1 to 255/],
  ['--retry-on=3,256', /"256"/],
  ['--retry-on=SIGFOO', /"SIGFOO"/],
])('submit %s is refused and adds no job', async (option, message) => {
  const bench = await newQueue();
  const { status, stderr } = await bench.run(['QUEUE', 'submit', option, 'true']);
  expect(status).not.toBe(0);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^rq: .*\n$/);
  expect(await bench.jobs()).toEqual([]);
});

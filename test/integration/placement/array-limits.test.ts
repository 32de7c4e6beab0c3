import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordingCommand, recordsOf } from '../../support/job-records.ts';
import { gate, openGate } from '../../support/live.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const FAST = ['--min_sleep=0.1', '--max_sleep=0.3'];
const STOPPED = (failures: string): object => ({ state: 'dead', reason: `array 1 stopped after ${failures}` });

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

async function submit(bench: Workbench, ...words: string[]): Promise<void> {
  await bench.must(['QUEUE', 'submit', '-q', ...words]);
}

/** Runs all jobs, one after the other. */
async function runInOrder(bench: Workbench): Promise<void> {
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1', '--max_feed=1', ...FAST]);
}

async function states(bench: Workbench): Promise<unknown[]> {
  return (await bench.jobs()).map(({ state, exit_status }) => exit_status ?? state);
}

/** The highest number of jobs that ran at the same time, by their own records. */
function highestOverlap(bench: Workbench, jids: readonly number[]): number {
  const records = jids.flatMap((jid) => recordsOf(bench.directory, jid));
  const changes = records.flatMap(({ began, ended }) => [
    { at: began, by: 1 },
    { at: ended?.at ?? Number.POSITIVE_INFINITY, by: -1 },
  ]);
  let [running, highest] = [0, 0];
  for (const { by } of changes.sort((a, b) => a.at - b.at || a.by - b.by)) {
    running += by;
    highest = Math.max(highest, running);
  }
  return highest;
}

test('an array stops after the permitted number of failures, and its other tasks never begin', async () => {
  const bench = await newQueue();
  await submit(bench, '--array=1-8', '--max-fails=3', 'exit $((RQ_INDEX % 2))');
  await submit(bench, 'true');
  await runInOrder(bench);
  expect(await states(bench)).toEqual([1, 0, 1, 0, 1, 'dead', 'dead', 'dead', 0]);
  expect(await bench.jobs('array=1', 'dead')).toMatchObject([6, 7, 8].map(() => STOPPED('3 failures')));
  expect((await bench.jobs('dead')).map(({ attempt, runner }) => [attempt, runner])).toEqual(
    Array(3).fill([0, undefined]),
  );
});

test('an array with exactly one failure less than permitted runs to its end', async () => {
  const bench = await newQueue();
  await submit(bench, '--array=1-4', '--max-fails=3', 'exit $((RQ_INDEX % 2))');
  await runInOrder(bench);
  expect(await states(bench)).toEqual([1, 0, 1, 0]);
});

test('the running tasks of a stopped array continue, and the command that waits for it ends', async () => {
  const bench = await newQueue();
  const command = `if [ $RQ_INDEX = 1 ]; then ${gate(bench, 'fail')}; exit 1; fi; ${gate(bench, 'end')}`;
  const waiting = bench.run(['QUEUE', 'submit', '--wait', '-q', '--array=1-20', '--max-fails=1', command]);
  await waitFor(async () => (await bench.jobs('pending')).length === 20);
  const feeder = bench.run(['QUEUE', 'feed', '--max_feed=3', '--until-empty', '-v1', ...FAST]);
  await waitFor(async () => (await bench.jobs('running')).length === 3);
  openGate(bench, 'fail');
  await waitFor(async () => (await bench.jobs('dead')).length === 17);
  expect((await bench.jobs('running')).map(({ index }) => index)).toEqual([2, 3]);
  openGate(bench, 'end');
  await feeder;
  expect((await waiting).status).toBe(126);
  expect((await bench.jobs('finished')).map(({ exit_status }) => exit_status)).toEqual([1, 0, 0]);
});

test('a thousand tasks of a stopped array end at a time, until none is pending', async () => {
  const bench = await newQueue();
  await submit(bench, '--array=1-2500', '--max-fails=1', 'false');
  await submit(bench, 'true');
  await runInOrder(bench);
  expect(await bench.counts()).toMatchObject({ pending: 0, finished: 2, dead: 2_499 });
});

test('a task with retries fails once, when no retry is left', async () => {
  const bench = await newQueue();
  await submit(bench, '--array=1-3', '--max-fails=2', '--retries=2', '--backoff=0s', 'exit $((RQ_INDEX < 3))');
  await runInOrder(bench);
  expect(await bench.jobs()).toMatchObject([
    { attempt: 3, exit_status: 1 },
    { attempt: 3, exit_status: 1 },
    STOPPED('2 failures'),
  ]);
});

test('resubmit lets a stopped array run again, and counts the tasks that are failed then', async () => {
  const bench = await newQueue();
  await submit(bench, '--array=1-6', '--max-fails=2', 'test -e fixed || exit $((RQ_INDEX < 3))');
  await runInOrder(bench);
  expect(await states(bench)).toEqual([1, 1, 'dead', 'dead', 'dead', 'dead']);
  // Tasks 1 and 2 are still failed, but a success stops nothing.
  await bench.must(['QUEUE', 'resubmit', '-q', '3-4']);
  await runInOrder(bench);
  expect(await states(bench)).toEqual([1, 1, 0, 0, 'dead', 'dead']);
  await bench.must(['QUEUE', 'resubmit', '-q', '1-2']);
  await runInOrder(bench);
  expect(await states(bench)).toEqual([1, 'dead', 0, 0, 'dead', 'dead']);
  openGate(bench, 'fixed');
  await bench.must(['QUEUE', 'resubmit', '-q', 'array=1', 'failed']);
  await runInOrder(bench);
  expect(await states(bench)).toEqual([0, 0, 0, 0, 0, 0]);
  expect((await bench.jobs()).map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6]);
});

test('recover keeps the limits of an array', async () => {
  const bench = await newQueue();
  await submit(bench, '--array=1-3', '--max-fails=1', '--at-most=1', 'false');
  const { status, stdout } = await bench.run(['QUEUE', 'execute', '--json', 'SELECT * FROM arrays']);
  expect(status).toBe(0);
  // The next page of the free list is invalid: SQLite finds the damage, and rq makes a new database.
  const database = join(bench.queue, 'db');
  const bytes = readFileSync(database);
  bytes.writeUInt32BE(7, 36);
  writeFileSync(database, bytes);
  const report = JSON.parse(await bench.must(['QUEUE', 'recover', '--json'])) as Record<string, unknown>;
  expect(report).toMatchObject({ saved: 3, lost: [], doubtful: [] });
  expect(report['damage']).not.toBe('none');
  expect(JSON.parse(await bench.must(['QUEUE', 'execute', '--json', 'SELECT * FROM arrays']))).toEqual(
    JSON.parse(stdout),
  );
  await runInOrder(bench);
  expect(await states(bench)).toEqual([1, 'dead', 'dead']);
});

test.each([
  ['--array=1-18%3', 3],
  ['--array=1-6%1', 1],
])('with %s, at most %d tasks run at the same time on all hosts', async (option, limit) => {
  const bench = await newQueue();
  mkdirSync(join(bench.directory, 'rec'));
  await submit(bench, option, recordingCommand('0.1', 0));
  const feed = ['QUEUE', 'feed', '--until-empty', '-v1', '--max_feed=4', ...FAST];
  await Promise.all(['a', 'b'].map((host) => bench.must(feed, { environment: { RQ_HOST: host } })));
  const jobs = await bench.jobs();
  expect(jobs.filter(({ exit_status }) => exit_status === 0)).toHaveLength(jobs.length);
  const jids = jobs.map(({ jid }) => Number(jid));
  expect(highestOverlap(bench, jids)).toBe(limit);
});

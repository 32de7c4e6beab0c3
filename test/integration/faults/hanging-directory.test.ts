import { rmdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hangingDirectory, needsHangingDirectory } from '../../support/hanging-directory.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const FEED = ['QUEUE', 'feed', '--max_feed=2', '--min_sleep=0.1', '--max_sleep=0.2'];
const LONG = `: ${'x'.repeat(150_000)}`;

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

async function submitOthers(bench: Workbench): Promise<void> {
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'cat\n'.repeat(10) });
}

async function othersHaveEnded(bench: Workbench, count: number): Promise<void> {
  await waitFor(async () => (await bench.jobs('finished')).length === count, 40_000);
}

const one = needsHangingDirectory(
  'while the directory of a job hangs, other jobs run and are reported, by the next feeder and the next runner too',
);

test.skipIf(one.isSkipped)(one.title, { timeout: 240_000 }, async () => {
  const bench = await newQueue();
  // Not in the directory of the bench, whose removal would hang.
  const hangs = `${bench.directory}.hangs`;
  const release = hangingDirectory(hangs);
  await bench.must(['QUEUE', 'submit', '-q', '--cwd', hangs, '--stdin', '--', 'cat'], { input: 'read\n' });
  await submitOthers(bench);
  const first = bench.start(FEED);
  await othersHaveEnded(bench, 10);
  expect(await bench.jobs('running')).toMatchObject([{ jid: 1 }]);
  first.child.kill('SIGKILL');
  await first.ended;
  await submitOthers(bench);
  const second = bench.start(FEED);
  await othersHaveEnded(bench, 20);
  const { runner } = JSON.parse(await bench.must(['QUEUE', 'pid', '--json'])) as { runner: number };
  process.kill(runner, 'SIGKILL');
  await submitOthers(bench);
  await othersHaveEnded(bench, 30);
  release();
  await waitFor(async () => (await bench.jobs('finished')).length === 31, 150_000);
  expect(bench.stdout(1)).toBe('read\n');
  expect(await bench.jobs('1')).toMatchObject([{ attempt: 1, exit_status: 0 }]);
  await bench.must(['QUEUE', 'shutdown']);
  await second.ended;
  rmdirSync(hangs);
});

const many = needsHangingDirectory('jobs whose directories hang do not keep others from the slots of a host');

test.skipIf(many.isSkipped)(many.title, { timeout: 240_000 }, async () => {
  const bench = await newQueue();
  const hangs = `${bench.directory}.hangs`;
  const release = hangingDirectory(hangs);
  await bench.must(['QUEUE', 'submit', '-q', '--cwd', hangs, '-'], { input: `${LONG}\n`.repeat(6) });
  await submitOthers(bench);
  const feeder = bench.start(FEED);
  await othersHaveEnded(bench, 10);
  await bench.must(['QUEUE', 'stop']);
  await feeder.ended;
  release();
  rmdirSync(hangs);
});

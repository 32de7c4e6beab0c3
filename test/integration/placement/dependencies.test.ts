import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gate, openGate } from '../../support/live.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const FEED = ['QUEUE', 'feed', '--min_sleep=0.05', '--max_sleep=0.2', '-v1'];
const UNTIL_EMPTY = [...FEED, '--until-empty'];

async function newBench(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

/** Submits jobs as a list of YAML. */
async function submitList(bench: Workbench, jobs: readonly object[]): Promise<void> {
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: JSON.stringify(jobs) });
}

function logged(bench: Workbench): string[] {
  return readFileSync(join(bench.directory, 'log'), 'utf8').trim().split('\n');
}

test('the jobs of a diamond run in the order of their dependencies, and the last one sees the output of the others', async () => {
  const bench = await newBench();
  await submitList(bench, [
    { command: 'echo 1 >>log; echo one >first' },
    { command: 'cat first >left; sleep 0.1; echo 2 >>log', after: 1 },
    { command: 'cat first >right; echo 3 >>log', after: [1] },
    { command: 'cat left right; echo 4 >>log', after: '2,3', tag: 'last' },
    { command: 'echo 5 >>log', after: 'tag=last' },
  ]);
  const jobs = await bench.jobs('tag=last');
  expect(jobs).toMatchObject([{ jid: 4, state: 'pending', after: '2,3' }]);
  await bench.must([...UNTIL_EMPTY, '--max_feed=3']);
  expect(logged(bench)[0]).toBe('1');
  expect(logged(bench).slice(1, 3).sort()).toEqual(['2', '3']);
  expect(logged(bench).slice(3)).toEqual(['4', '5']);
  expect(bench.stdout(4)).toBe('one\none\n');
});

test('a chain of 1,000 jobs runs link by link', { timeout: 400_000 }, async () => {
  const bench = await newBench();
  const links = Array.from({ length: 1_000 }, (_, index) => ({
    command: `echo ${index + 1} >>log`,
    ...(index === 0 ? {} : { after: index }),
  }));
  await submitList(bench, links);
  await bench.must([...UNTIL_EMPTY, '--max_feed=4']);
  expect(logged(bench)).toEqual(links.map((_, index) => String(index + 1)));
});

test('a chain whose first job fails dies to its end, and runs after a resubmit with dependents', async () => {
  const bench = await newBench();
  const links = Array.from({ length: 1_000 }, (_, index) => ({ command: 'true', after: index === 0 ? null : index }));
  await submitList(bench, [{ command: '[ -e repaired ]' }, ...links.slice(1)]);
  await bench.must(UNTIL_EMPTY);
  expect(await bench.counts()).toMatchObject({ finished: 1, dead: 999, pending: 0 });
  expect((await bench.jobs('2,1000')).map(({ reason }) => reason)).toEqual([
    'needs 1, which failed',
    'needs 999, which failed',
  ]);
  await bench.shell('touch repaired');
  await bench.must(['QUEUE', 'delete', '-q', '20-1000']);
  const revived = JSON.parse(await bench.must(['QUEUE', 'resubmit', '--dependents', '--json', '1'])) as object[];
  expect(revived).toHaveLength(19);
  await bench.must(UNTIL_EMPTY);
  expect(await bench.counts()).toMatchObject({ finished: 19, dead: 0 });
  expect(await bench.jobs('failed')).toEqual([]);
});

test('10,000 jobs start when the job that they need has ended', { timeout: 400_000 }, async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', `${gate(bench, 'parent')}; touch done`]);
  const input = '[ -e done ]\n'.repeat(10_000);
  await bench.must(['QUEUE', 'submit', '-q', '--after=1', '-'], { input });
  const feeder = bench.start([...UNTIL_EMPTY, '--max_feed=20']);
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  expect(await bench.counts()).toMatchObject({ pending: 10_000 });
  openGate(bench, 'parent');
  expect(await feeder.ended).toMatchObject({ status: 0 });
  expect(await bench.counts()).toMatchObject({ finished: 10_001 });
  expect(await bench.jobs('failed')).toEqual([]);
});

test('each kind of dependency starts its job, or makes it dead', async () => {
  const bench = await newBench();
  await submitList(bench, [
    { command: 'true' },
    { command: 'false' },
    ...['1', '2', 'any:2', 'failed:2', 'failed:1', '1,any:2'].map((after) => ({ command: 'true', after })),
    { command: 'true', after: 'failed:4' },
  ]);
  await bench.must(UNTIL_EMPTY);
  expect((await bench.jobs('3-9')).map(({ state, reason = '' }) => `${state} ${reason}`.trim())).toEqual([
    'finished',
    'dead needs 2, which failed',
    'finished',
    'finished',
    'dead needs the failure of 1, which succeeded',
    'finished',
    'finished',
  ]);
});

test('a feeder whose slots are full decides the dependents of a job that was killed elsewhere', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', 'sleep 600']);
  await bench.must(['QUEUE', 'submit', '-q', '--runner=other', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '--after=2', '-'], { input: 'true\n'.repeat(2_500) });
  const feeder = bench.start([...FEED, '--max_feed=1']);
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  await bench.must(['QUEUE', 'kill', '-q', '2']);
  await waitFor(async () => (await bench.counts())['dead'] === 2_501);
  await bench.must(['QUEUE', 'stop']);
  await feeder.ended;
});

test('an idle feeder starts what a deletion permits', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '--after=failed:1', 'echo after']);
  await bench.must(['QUEUE', 'submit', '-q', '--after=1', 'true']);
  const feeder = bench.start(FEED);
  await waitFor(() => bench.processes().length >= 3);
  await bench.must(['QUEUE', 'delete', '-q', '--force', '1']);
  await waitFor(async () => (await bench.counts())['finished'] === 1);
  expect(bench.stdout(2)).toBe('after\n');
  expect(await bench.jobs('dead')).toMatchObject([{ jid: 3, reason: 'needs 1, which was deleted' }]);
  await bench.must(['QUEUE', 'shutdown']);
  await feeder.ended;
});

test('a feeder that ends with the queue waits while a running job of another host is needed', async () => {
  const bench = await newBench();
  const on = (host: string): { environment: NodeJS.ProcessEnv } => ({ environment: { RQ_HOST: host } });
  await bench.must(['QUEUE', 'submit', '-q', '--runner=a', gate(bench, 'parent')]);
  await bench.must(['QUEUE', 'submit', '-q', '--runner=b', '--after=1', 'true']);
  const other = bench.start([...FEED, '--max_feed=1'], on('a'));
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  const feeder = bench.start([...UNTIL_EMPTY, '-v3'], on('b'));
  let hasEnded = false;
  const ended = feeder.ended.then((end) => {
    hasEnded = true;
    return end;
  });
  // It has nothing to do. It would end before this test has submitted and killed another job.
  await waitFor(async () => JSON.parse(await bench.must(['QUEUE', 'nodes', '--json'])).length === 2);
  await bench.must(['QUEUE', 'submit', '-q', '--runner=b', 'true']);
  await waitFor(async () => (await bench.jobs('3'))[0]?.['state'] === 'finished');
  await bench.must(['QUEUE', 'submit', '-q', '--runner=nobody', 'true']);
  await bench.must(['QUEUE', 'kill', '-q', '4']);
  expect(hasEnded).toBe(false);
  openGate(bench, 'parent');
  expect(await ended).toMatchObject({ status: 0 });
  expect(await bench.jobs('2')).toMatchObject([{ state: 'finished', runner: 'b' }]);
  await bench.must(['QUEUE', 'shutdown'], on('a'));
  await other.ended;
});

test('a feeder that ends with the queue does not wait for dependents of a job that is held', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '--after=1', 'true']);
  await bench.must(UNTIL_EMPTY);
  expect(await bench.counts()).toMatchObject({ holding: 1, pending: 1 });
});

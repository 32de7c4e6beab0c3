import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** Only root, in most containers, may mount. */
const CAN_UNSHARE = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/tmp']).status === 0;
const QUICK = ['--min_sleep=0.1', '--max_sleep=0.2'];

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

/** Submits jobs that record the hosts on which they run. */
async function submit(bench: Workbench, count: number, ...options: string[]): Promise<void> {
  const input = `echo $RQ_RUNNER >>${bench.directory}/ran.$RQ_JID\n`.repeat(count);
  await bench.must(['QUEUE', 'submit', '-q', ...options, '-'], { input });
}

test('a host that lacks the directory of jobs neither makes them dead nor stops running others', async () => {
  const bench = await newQueue();
  const cwd = join(bench.directory, 'not-mounted');
  await submit(bench, 40, '--cwd', cwd);
  await submit(bench, 5);
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2', ...QUICK]);
  await waitFor(async () => (await bench.jobs('finished')).length === 5);
  expect(await bench.counts()).toMatchObject({ pending: 40, dead: 0 });
  mkdirSync(cwd);
  // The only host tries again after 30 s.
  await waitFor(async () => (await bench.jobs('finished')).length === 45, 60_000);
  for (const { attempt } of await bench.jobs()) expect(attempt).toBe(1);
  await bench.must(['QUEUE', 'shutdown']);
  await feeder.ended;
}, 120_000);

test.skipIf(!CAN_UNSHARE)('jobs that one of two hosts cannot start are run by the other', async () => {
  const bench = await newQueue();
  const base = join(bench.directory, 'base');
  mkdirSync(join(base, 'work'), { recursive: true });
  await submit(bench, 40, '--cwd', join(base, 'work'));
  await submit(bench, 40);
  // In a mount namespace of its own, the bad host sees an empty directory.
  const wrapper = ['unshare', '--mount', 'sh', '-c', `mount -t tmpfs none ${base} && exec "$0" "$@"`];
  const feed = ['QUEUE', 'feed', '--max_feed=2', ...QUICK];
  const bad = bench.start(feed, { environment: { RQ_HOST: 'bad' }, wrapper });
  // The good host begins when the bad one has tried all jobs.
  await waitFor(async () => (await bench.jobs('finished')).length === 40);
  const good = bench.start(feed, { environment: { RQ_HOST: 'good' } });
  await waitFor(async () => (await bench.jobs('finished')).length === 80);
  for (const jid of Array.from({ length: 40 }, (_, index) => index + 1)) {
    expect(readFileSync(join(bench.directory, `ran.${jid}`), 'utf8')).toBe('good\n');
  }
  for (const { child, ended } of [bad, good]) {
    child.kill('SIGTERM');
    await ended;
  }
});

test('a job that the only host cannot start is dead after three tries in a minute, with the reason', async () => {
  const bench = await newQueue();
  await submit(bench, 1, '--cwd', '/no/such/place');
  await bench.must(['QUEUE', 'feed', '--until-empty', ...QUICK]);
  const [job] = await bench.jobs();
  expect(job).toMatchObject({ state: 'dead', reason: expect.stringContaining('/no/such/place') as string });
  expect(Date.parse(String(job?.['finished'])) - Date.parse(String(job?.['submitted']))).toBeGreaterThanOrEqual(60_000);
  expect(existsSync(join(bench.directory, 'ran.1'))).toBe(false);
}, 200_000);

test('a job whose directory was corrected by update is tried again at once', async () => {
  const bench = await newQueue();
  await submit(bench, 1, '--cwd', '/no/such/place');
  const log = join(bench.directory, 'log');
  const feeder = bench.start(['QUEUE', 'feed', '--log', log, ...QUICK]);
  await waitFor(() => existsSync(log) && readFileSync(log, 'utf8').includes('cannot start a job on this host'));
  await waitFor(async () => (await bench.jobs('pending')).length === 1);
  await bench.must(['QUEUE', 'update', '1', `cwd=${bench.directory}`]);
  await waitFor(async () => (await bench.jobs('finished')).length === 1, 20_000);
  await bench.must(['QUEUE', 'shutdown']);
  await feeder.ended;
});

test('a shortage of the host leaves jobs pending, suspends its claims, and is never counted', async () => {
  const bench = await newQueue();
  const log = join(bench.directory, 'log');
  const feeder = bench.start(['QUEUE', 'feed', '--log', log, ...QUICK]);
  await submit(bench, 1);
  await waitFor(async () => (await bench.jobs('finished')).length === 1);
  const [runtime = ''] = readdirSync(join(bench.directory, 'run'));
  const scripts = join(bench.directory, 'run', runtime, 'scripts');
  rmSync(scripts, { recursive: true });
  writeFileSync(scripts, '');
  // The runner writes the command of such a job to a file.
  const long = `echo ran #${'x'.repeat(200_000)}\n`;
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: long.repeat(10) });
  await waitFor(() => (readFileSync(log, 'utf8').match(/claims are suspended/g) ?? []).length > 2);
  expect(await bench.counts()).toMatchObject({ dead: 0, finished: 1 });
  rmSync(scripts);
  mkdirSync(scripts);
  await waitFor(async () => (await bench.jobs('finished')).length === 11, 60_000);
  for (const { attempt } of await bench.jobs()) expect(attempt).toBe(1);
  await bench.must(['QUEUE', 'shutdown']);
  await feeder.ended;
}, 120_000);

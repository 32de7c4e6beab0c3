import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RqError } from '../../../src/job/errors.ts';
import { fakeStarter, replyToHello } from '../../support/fake-starter.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const KEY = { jid: 1, claim: 1 };
const COUNT = 'echo ready; while [ ! -e go ]; do sleep 0.02; done; exit 7';

/** The states of the processes of all jobs, without zombies. */
function states(harness: RunnerHarness): string[] {
  const own = [...harness.runners(), ...harness.starters()];
  const jobs = harness.processes().filter((pid) => !own.includes(pid));
  return jobs.map(stateOf).filter((state) => state !== 'Z');
}

function stateOf(pid: number): string {
  try {
    const stat = readFileSync(join('/proc', String(pid), 'stat'), 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? 'Z';
  } catch {
    // The process has ended.
    return 'Z';
  }
}

function isStopped(harness: RunnerHarness): boolean {
  const found = states(harness);
  return found.length > 0 && found.every((state) => state === 'T');
}

async function startJob(harness: RunnerHarness, command: string, limits = {}): ReturnType<RunnerHarness['start']> {
  const connected = await harness.start();
  await connected.client.spawn(harness.job(1, command, { limits }));
  await waitFor(() => harness.read('out.1') !== '');
  return connected;
}

async function passes(ms: number): Promise<void> {
  const startMs = performance.now();
  await waitFor(() => performance.now() - startMs > ms);
}

test('a paused job does not run until it is resumed', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await startJob(harness, `setsid bash -c '${COUNT}' & ${COUNT}`);
  expect(await client.list()).toMatchObject([{ jid: 1, state: 'running', isPaused: false }]);
  await client.pause(KEY);
  await waitFor(() => isStopped(harness));
  await client.pause(KEY);
  expect(await client.list()).toMatchObject([{ jid: 1, state: 'running', isPaused: true }]);
  writeFileSync(harness.file('go'), '');
  await passes(300);
  expect(isStopped(harness)).toBe(true);
  await client.resume(KEY);
  expect(await waitFor(() => exits.get(1))).toMatchObject({ exit_status: 7, reason: null });
});

test('processes that fork while a job is paused are stopped as well', async () => {
  const harness = new RunnerHarness();
  const forks = 'while [ ! -e go ]; do (:) & (: | :); wait; done';
  const command = `echo ready; for n in 1 2 3 4; do { ${forks}; } & done; wait; exit 7`;
  const { client, exits } = await startJob(harness, command);
  for (let round = 0; round < 5; round++) {
    await client.pause(KEY);
    await waitFor(() => isStopped(harness));
    await passes(100);
    expect(isStopped(harness)).toBe(true);
    await client.resume(KEY);
    await waitFor(() => !isStopped(harness));
  }
  writeFileSync(harness.file('go'), '');
  expect(await waitFor(() => exits.get(1))).toMatchObject({ exit_status: 7 });
});

test.each([
  ['until it reaches no further process', ['3', '4', '4', '4', '4', '4'], 3],
  ['at most five times', ['3', '4', '5', '6', '7', '8'], 5],
])('SIGSTOP is repeated %s', async (_, counts, rounds) => {
  const harness = new RunnerHarness();
  const replies = [...counts];
  await fakeStarter(harness, (request, send) => {
    const [type, name = ''] = request;
    replyToHello(request, send);
    if (type === 'start') send('started', name, '4711', '1', '1.000');
    if (type === 'signal') send('signalled', name, replies.shift() ?? '0');
  });
  const { client } = await harness.start();
  await client.spawn(harness.job(1, 'true'));
  await client.pause(KEY);
  expect(counts.length - replies.length).toBe(rounds);
});

test('the time limit does not count while a job is paused', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await startJob(harness, COUNT, { timeLimitMs: 1000 });
  await client.pause(KEY);
  await passes(2500);
  expect(exits.size).toBe(0);
  await client.resume(KEY);
  const exit = await waitFor(() => exits.get(1));
  expect(exit).toMatchObject({ signal: 'SIGTERM', reason: 'time limit of 1s' });
  expect(exit.elapsed).toBeGreaterThan(3.5);
  expect(exit.elapsed).toBeLessThan(5.5);
});

test('the next runner knows that a job is paused, and how much of its time is left', async () => {
  const harness = new RunnerHarness();
  const first = await startJob(harness, COUNT, { timeLimitMs: 3000 });
  await first.client.pause(KEY);
  await passes(1000);
  await first.client.resume(KEY);
  await first.client.pause(KEY);
  await harness.killRunner();
  const second = await harness.start();
  expect(await second.client.list()).toMatchObject([{ jid: 1, state: 'running', isPaused: true }]);
  await passes(3000);
  expect(isStopped(harness)).toBe(true);
  await second.client.resume(KEY);
  const exit = await waitFor(() => second.exits.get(1));
  expect(exit).toMatchObject({ signal: 'SIGTERM', reason: 'time limit of 3s' });
  // It was paused for four seconds and the time that it took to replace the runner.
  expect(exit.elapsed).toBeGreaterThan(7);
});

test('a job is stopped by the next runner if the runner is killed after it has recorded the pause', async () => {
  const harness = new RunnerHarness();
  process.env['RQ_CRASH_AT'] = `pause-journaled:${harness.file('crashed')}`;
  const first = await startJob(harness, COUNT).finally(() => delete process.env['RQ_CRASH_AT']);
  await expect(first.client.pause(KEY)).rejects.toThrow('closed the connection');
  await waitFor(() => harness.runners().length === 0);
  expect(isStopped(harness)).toBe(false);
  const second = await harness.start();
  await waitFor(() => isStopped(harness));
  await second.client.resume(KEY);
  writeFileSync(harness.file('go'), '');
  expect(await waitFor(() => second.exits.get(1))).toMatchObject({ exit_status: 7 });
});

test('a paused job can be killed, and catches SIGTERM', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await startJob(harness, `trap 'exit 9' TERM; ${COUNT}`);
  await client.pause(KEY);
  await waitFor(() => isStopped(harness));
  await client.signal({ ...KEY, signal: 'SIGTERM', graceMs: 60_000 });
  expect(await waitFor(() => exits.get(1))).toMatchObject({ exit_status: 9, reason: null });
});

test('a job that is being ended cannot be paused', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await startJob(harness, `trap 'echo >term' TERM; ${COUNT}`);
  await client.signal({ ...KEY, signal: 'SIGTERM', graceMs: 60_000 });
  await waitFor(() => harness.read('term') !== '');
  await expect(client.pause(KEY)).rejects.toMatchObject({ facts: { code: 'NO_ATTEMPT' } });
  writeFileSync(harness.file('go'), '');
  expect(await waitFor(() => exits.get(1))).toMatchObject({ exit_status: 7 });
});

test('a paused job keeps its slot, and a job that waits for one is cancelled in place of a pause', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await startJob(harness, COUNT);
  await client.slots(1);
  await client.pause(KEY);
  const second = client.spawn(harness.job(2, 'touch ran')).catch((error: RqError) => error.facts['code']);
  await passes(300);
  expect(harness.read('ran')).toBe('');
  const refused = { facts: { code: 'NO_ATTEMPT' } };
  await expect(client.pause({ jid: 2, claim: 1 })).rejects.toMatchObject(refused);
  expect(await second).toBe('CANCELLED');
  await expect(client.resume({ jid: 3, claim: 1 })).rejects.toMatchObject(refused);
  await client.resume(KEY);
  writeFileSync(harness.file('go'), '');
  await waitFor(() => exits.get(1));
  await expect(client.resume(KEY)).rejects.toMatchObject(refused);
});

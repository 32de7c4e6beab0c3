import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processStartTime } from '../../../src/job/process.ts';
import type { AttemptLimits, Exit } from '../../../src/runner/protocol/messages.ts';
import { type Connected, RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const KEY = { jid: 1, claim: 1 };
const FOREVER = 'echo ready; while :; do sleep 0.05; done';
/** How much later than its limit an attempt may end. */
const LATENESS_S = 2;

/** Spawns job 1 and waits for its first output. Returns its pid. */
async function spawnLimited(
  harness: RunnerHarness,
  { client }: Connected,
  command: string,
  limits: AttemptLimits,
): Promise<number> {
  const { pid } = await client.spawn(harness.job(1, command, { limits }));
  await waitFor(() => harness.read('out.1') !== '');
  return Number(pid);
}

/** Waits for the end of job 1. A runner sends no events for ends before its hello. */
function endOf({ client, exits }: Connected): Promise<Exit> {
  return waitFor(async () => {
    const [listed] = await client.list();
    return exits.get(1) ?? (listed?.state === 'exited' ? listed.exit : undefined);
  });
}

function expectOnTime({ elapsed }: Exit, limitS: number): void {
  expect(elapsed).toBeGreaterThanOrEqual(limitS);
  expect(elapsed).toBeLessThan(limitS + LATENESS_S);
}

/** Starts a runner that kills itself at a crash point. */
async function startDoomed(harness: RunnerHarness, point: string): Promise<Connected> {
  process.env['RQ_CRASH_AT'] = `${point}:${harness.file('crashed')}`;
  try {
    return await harness.start();
  } finally {
    delete process.env['RQ_CRASH_AT'];
  }
}

test('a job that exceeds its time limit is ended, and its exit has the reason', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  await spawnLimited(harness, connected, FOREVER, { timeLimitMs: 500 });
  await connected.client.spawn(harness.job(2, 'until [ -e out.3 ]; do sleep 0.05; done; exit 4'));
  const exit = await endOf(connected);
  const reason = 'time limit of 0.5s';
  expect(exit).toMatchObject({ exit_status: null, signal: 'SIGTERM', reason, limit: 'time', isLost: false });
  expectOnTime(exit, 0.5);
  // The neighbour continues.
  await connected.client.spawn(harness.job(3, 'true'));
  expect(await waitFor(() => connected.exits.get(2))).toMatchObject({ exit_status: 4, reason: null, limit: null });
});

test('a job that ends within its time limit has no reason', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.spawn(harness.job(1, 'exit 0', { limits: { timeLimitMs: 60_000, memoryBytes: 2 ** 30 } }));
  expect(await waitFor(() => exits.get(1))).toMatchObject({ exit_status: 0, reason: null, limit: null });
});

test('a job that catches SIGTERM and exits with 0 has the reason as well', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  await spawnLimited(harness, connected, `trap 'exit 0' TERM; ${FOREVER}`, { timeLimitMs: 500 });
  const exit = await endOf(connected);
  expect(exit).toMatchObject({ exit_status: 0, signal: null, reason: 'time limit of 0.5s', limit: 'time' });
});

test('a job that ignores SIGTERM gets SIGKILL after the grace period', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  const command = `trap '' TERM; setsid bash -c "trap '' TERM; while :; do sleep 0.05; done" & ${FOREVER}`;
  await spawnLimited(harness, connected, command, { timeLimitMs: 500, graceMs: 300 });
  const exit = await endOf(connected);
  expect(exit).toMatchObject({ signal: 'SIGKILL', reason: 'time limit of 0.5s', left_behind: 0 });
});

test('a time limit is enforced by the next runner if the runner is killed', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  await spawnLimited(harness, first, FOREVER, { timeLimitMs: 4000 });
  await harness.killRunner();
  const second = await harness.start();
  const exit = await endOf(second);
  expect(exit).toMatchObject({ signal: 'SIGTERM', reason: 'time limit of 4s', limit: 'time' });
  expectOnTime(exit, 4);
});

test('a time limit is enforced by the next runner if the runner and the starter are killed', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  await spawnLimited(harness, first, FOREVER, { timeLimitMs: 4000 });
  await harness.killRunner();
  await harness.killStarter();
  const second = await harness.start();
  const exit = await endOf(second);
  expect(exit).toMatchObject({ isLost: true, reason: 'the starter was killed, so the exit status is unknown' });
  expectOnTime(exit, 4);
});

test('a time limit that passes while there is no runner is enforced when the next runner starts', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  await spawnLimited(harness, first, FOREVER, { timeLimitMs: 500, warn: { signal: 'SIGUSR2', beforeMs: 100 } });
  await harness.killRunner();
  const startMs = performance.now();
  await waitFor(() => performance.now() - startMs > 600);
  const second = await harness.start();
  const exit = await endOf(second);
  expect(exit).toMatchObject({ signal: 'SIGTERM', reason: 'time limit of 0.5s' });
});

test('the reason is known if the runner is killed between SIGTERM and the end of the job', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const command = `trap 'echo >term' TERM; ${FOREVER.replace(':;', '[ ! -e go ];')}; exit 0`;
  const pid = await spawnLimited(harness, first, command, { timeLimitMs: 500 });
  await waitFor(() => harness.read('term') !== '');
  await harness.killRunner();
  writeFileSync(harness.file('go'), '');
  await waitFor(() => processStartTime(pid) === undefined);
  const exit = await endOf(await harness.start());
  expect(exit).toMatchObject({ exit_status: 0, reason: 'time limit of 0.5s', limit: 'time' });
});

test('the grace period continues if the runner is killed in it', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const graceS = 3;
  await spawnLimited(harness, first, `trap 'echo >term' TERM; ${FOREVER}`, {
    timeLimitMs: 500,
    graceMs: graceS * 1000,
  });
  await waitFor(() => harness.read('term') !== '');
  await harness.killRunner();
  const second = await harness.start();
  const exit = await endOf(second);
  expect(exit).toMatchObject({ signal: 'SIGKILL', reason: 'time limit of 0.5s' });
  expectOnTime(exit, 0.5 + graceS);
});

test('a job is ended if the runner is killed after it has recorded the limit', async () => {
  const harness = new RunnerHarness();
  const first = await startDoomed(harness, 'limit-journaled');
  await spawnLimited(harness, first, FOREVER, { timeLimitMs: 500 });
  await first.disconnected;
  await waitFor(() => harness.runners().length === 0);
  const second = await harness.start();
  const exit = await endOf(second);
  expect(exit).toMatchObject({ signal: 'SIGTERM', reason: 'time limit of 0.5s', limit: 'time' });
});

test('the warning reaches all processes of a job once, also if the runner is killed after it', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const child = `trap 'echo child >>warned' USR2; while :; do sleep 0.05; done`;
  const command = `trap 'echo parent >>warned' USR2; setsid bash -c "${child}" & ${FOREVER}`;
  await spawnLimited(harness, first, command, { timeLimitMs: 5000, warn: { signal: 'SIGUSR2', beforeMs: 4000 } });
  await waitFor(() => harness.read('warned').split('\n').length === 3);
  await waitFor(() => readFileSync(join(harness.directory, 'journal'), 'utf8').includes('"type":"warned"'));
  await harness.killRunner();
  const second = await harness.start();
  const exit = await endOf(second);
  expect(exit).toMatchObject({ signal: 'SIGTERM', reason: 'time limit of 5s' });
  expect(harness.read('warned').trim().split('\n').sort()).toEqual(['child', 'parent']);
});

test('a job that a client ends is not ended by its time limit as well', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  await spawnLimited(harness, connected, `trap '' TERM; ${FOREVER}`, { timeLimitMs: 800, graceMs: 0 });
  await connected.client.signal({ ...KEY, signal: 'SIGTERM', graceMs: 1500 });
  const exit = await endOf(connected);
  expect(exit).toMatchObject({ signal: 'SIGKILL', reason: null, limit: null });
  expect(exit.elapsed).toBeGreaterThan(1.5);
});

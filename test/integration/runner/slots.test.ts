import { existsSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RqError } from '../../../src/job/errors.ts';
import { fakeRunner, HELLO_LINE } from '../../support/fake-runner.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const FOREVER = 'echo ready; until [ -e go ]; do sleep 0.05; done; exit 7';

test('jobs beyond the slots wait and can be cancelled', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  expect(await client.slots(2)).toEqual({ ahead: 64, keepsDevices: true });
  const spawned = [1, 2, 3, 4, 5].map((jid) => {
    const spawn = client.spawn(harness.job(jid, `echo ${jid} >> begun; until [ -e go ]; do sleep 0.05; done`));
    return spawn.then(
      () => 'begun',
      (error: RqError) => error.facts['code'],
    );
  });
  await waitFor(() => harness.read('begun').trim().split('\n').length === 2);
  await client.cancel([1, 4].map((jid) => ({ jid, claim: 1 })));
  await expect(client.signal({ jid: 5, claim: 1, signal: 'SIGTERM' })).rejects.toMatchObject({
    facts: { code: 'NO_ATTEMPT' },
  });
  expect(await Promise.all([...spawned.slice(0, 2), ...spawned.slice(3)])).toEqual([
    'begun',
    'begun',
    'CANCELLED',
    'CANCELLED',
  ]);
  writeFileSync(harness.file('go'), '');
  await waitFor(() => exits.size === 3);
  expect(harness.read('begun').trim().split('\n').sort()).toEqual(['1', '2', '3']);
  expect((await client.list()).map(({ jid }) => jid)).toEqual([1, 2, 3]);
  // A cancelled attempt can be started again.
  await client.spawn(harness.job(4, 'true'));
  await waitFor(() => exits.get(4));
});

test('most waiting jobs can be cancelled while jobs fail to start', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.slots(1);
  const jids = Array.from({ length: 40 }, (_, index) => index + 1);
  const spawned = jids.map((jid) => client.spawn(harness.job(jid, 'true', { cwd: '/nowhere' })).catch(() => undefined));
  await waitFor(() => exits.size >= 3);
  await client.cancel(jids.map((jid) => ({ jid, claim: 1 })));
  await Promise.all(spawned);
  const { length } = await client.list();
  expect(length).toBeLessThan(20);
});

test('a job that waited for a slot for ten seconds is cancelled', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.slots(1);
  await client.spawn(harness.job(1, FOREVER));
  const startMs = performance.now();
  const outcome = client.spawn(harness.job(2, 'touch ran')).catch((error: RqError) => error.facts['code']);
  expect(await outcome).toBe('CANCELLED');
  expect(performance.now() - startMs).toBeGreaterThan(9_900);
  writeFileSync(harness.file('go'), '');
  await waitFor(() => exits.get(1));
  expect(existsSync(harness.file('ran'))).toBe(false);
});

test('a spawn may wait for a slot longer than the timeout of the client', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const { client, exits } = await harness.connect(400);
  await client.slots(1);
  await client.spawn(harness.job(1, 'sleep 1.5'));
  await client.spawn(harness.job(2, 'exit 3'));
  expect(await waitFor(() => exits.get(2))).toMatchObject({ exit_status: 3 });
});

test('a job occupies as many slots as its weight', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.slots(3);
  const jobs = [2, 2, 1].map((weight, index) => harness.job(index + 1, 'sleep 0.3', { weight }));
  await Promise.all(jobs.map((job) => client.spawn(job)));
  await waitFor(() => exits.size === 3);
  const [first, second] = [1, 2]
    .map((jid) => exits.get(jid))
    .sort((one, other) => ((one?.started ?? '') < (other?.started ?? '') ? -1 : 1));
  // Both times are computed from a monotonic clock and from a wall clock in whole milliseconds.
  const roundingMs = 1;
  expect(Date.parse(second?.started ?? '')).toBeGreaterThanOrEqual(Date.parse(first?.finished ?? '') - roundingMs);
});

test('the next runner lists what an attempt holds, while it runs and after its end', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const holding = { devices: ['GPU-a', 'GPU-b'], resources: { licence: 2 } };
  const limits = { memoryBytes: 2 ** 30 };
  await first.client.spawn(harness.job(1, FOREVER, { weight: 3, limits, holding }));
  await first.client.spawn(harness.job(2, FOREVER));
  await harness.killRunner();
  const { client, exits } = await harness.start();
  const held = { weight: 3, memoryBytes: 2 ** 30, ...holding };
  const nothing = { weight: 1, memoryBytes: null, devices: [], resources: {} };
  expect(await client.list()).toMatchObject([
    { state: 'running', held },
    { state: 'running', held: nothing },
  ]);
  // The attempts of the earlier runner keep their weights: one slot of five is left.
  await client.slots(5);
  const waiting = client.spawn(harness.job(3, 'echo ran >> order', { weight: 2 }));
  const small = client.spawn(harness.job(4, 'ls go'));
  expect(harness.read('order')).toBe('');
  writeFileSync(harness.file('go'), '');
  await Promise.all([waiting, small]);
  await waitFor(() => exits.size === 4);
  expect(exits.get(4)).toMatchObject({ exit_status: 0 });
  expect(await client.list()).toMatchObject([
    { state: 'exited', held },
    { state: 'exited', held: nothing },
    { state: 'exited', held: { weight: 2 } },
    { state: 'exited' },
  ]);
});

test('a runner of an earlier version lists no holdings, and keeps no devices', async () => {
  const harness = new RunnerHarness();
  const running = { jid: 1, claim: 1, state: 'running', pid: 9, started: '2026-01-01T00:00:00.000Z', paused: false };
  await fakeRunner(harness, [HELLO_LINE], (socket) => {
    socket.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().trim().split('\n')) {
        const { id, type } = JSON.parse(line) as { id?: number; type: string };
        const reply = type === 'slots' ? { ahead: 64 } : { attempts: [running], more: false };
        if (id !== undefined) socket.write(`${JSON.stringify({ id, ok: true, ...reply })}\n`);
      }
    });
  });
  const { client } = await harness.connect();
  expect(await client.slots(2)).toEqual({ ahead: 64, keepsDevices: false });
  const held = { weight: undefined, memoryBytes: null, devices: [], resources: {} };
  expect(await client.list()).toMatchObject([{ state: 'running', held }]);
});

test('a spawn with invalid devices or resources is refused', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start();
  for (const holding of [
    { devices: [''], resources: {} },
    { devices: [], resources: { licence: 0.5 } },
    { devices: Array.from({ length: 1025 }, String), resources: {} },
  ]) {
    await expect(client.spawn(harness.job(1, 'true', { holding }))).rejects.toMatchObject({
      facts: { code: 'INVALID' },
    });
  }
  expect(await client.list()).toEqual([]);
});

test('a job of an earlier runner occupies a slot', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  await first.client.spawn(harness.job(1, FOREVER));
  await waitFor(() => harness.read('out.1') !== '');
  await harness.killRunner();
  const { client, exits } = await harness.start();
  await client.slots(1);
  const spawned = client.spawn(harness.job(2, 'echo ran; ls go'));
  await client.environment({ PATH: process.env['PATH'] ?? '', RQT_HARNESS: harness.root });
  expect(harness.read('out.2')).toBe('');
  writeFileSync(harness.file('go'), '');
  await spawned;
  await waitFor(() => exits.get(2));
  expect(harness.read('out.2')).toBe('ran\ngo\n');
});

test('the end of each of a thousand running jobs is reported', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const jids = Array.from({ length: 1000 }, (_, index) => index + 1);
  await Promise.all(
    jids.map((jid) => client.spawn(harness.job(jid, `exec sleep 600`, { stdout: null, stderr: null }))),
  );
  expect((await client.list()).filter(({ state }) => state === 'running')).toHaveLength(1000);
  await Promise.all(jids.map((jid) => client.signal({ jid, claim: 1, signal: 'SIGTERM' })));
  await waitFor(() => exits.size === 1000);
  expect([...exits.values()].filter(({ signal }) => signal === 'SIGTERM')).toHaveLength(1000);
});

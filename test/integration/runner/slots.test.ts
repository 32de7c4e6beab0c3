import { existsSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RqError } from '../../../src/job/errors.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const FOREVER = 'echo ready; until [ -e go ]; do sleep 0.05; done; exit 7';

test.each([true, false])('jobs beyond the slots wait and can be cancelled (with Python: %s)', async (hasPython) => {
  const harness = new RunnerHarness();
  if (!hasPython) harness.hidePython();
  const { client, exits } = await harness.start();
  expect(await client.slots(2)).toBe(64);
  const spawned = [1, 2, 3, 4, 5].map((jid) => {
    const spawn = client.spawn(harness.job(jid, `echo ${jid} >> begun; until [ -e go ]; do sleep 0.05; done`));
    return spawn.then(
      () => 'begun',
      (error: RqError) => error.facts['code'],
    );
  });
  await waitFor(() => harness.read('begun').trim().split('\n').length === 2);
  await client.cancel([1, 4].map((jid) => ({ jid, attempt: 1 })));
  await expect(client.signal({ jid: 5, attempt: 1, signal: 'SIGTERM' })).rejects.toMatchObject({
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

test.each([true, false])(
  'most waiting jobs can be cancelled while jobs fail to start (with Python: %s)',
  async (hasPython) => {
    const harness = new RunnerHarness();
    if (!hasPython) harness.hidePython();
    const { client, exits } = await harness.start();
    await client.slots(1);
    const jids = Array.from({ length: 40 }, (_, index) => index + 1);
    const spawned = jids.map((jid) =>
      client.spawn(harness.job(jid, 'true', { cwd: '/nowhere' })).catch(() => undefined),
    );
    await waitFor(() => exits.size >= 3);
    await client.cancel(jids.map((jid) => ({ jid, attempt: 1 })));
    await Promise.all(spawned);
    const { length } = await client.list();
    expect(length).toBeLessThan(20);
  },
);

/** Starts a job that keeps the only slot until the file `go` exists, and a second job that waits. */
async function fillSlot(
  harness: RunnerHarness,
): Promise<{ keepAlive: () => Promise<void>; end: () => Promise<unknown> }> {
  const { client, exits } = await harness.start();
  await client.slots(1);
  await client.spawn(harness.job(1, FOREVER));
  const spawned = client.spawn(harness.job(2, 'touch ran')).catch((error: RqError) => error.facts['code']);
  const environment = { PATH: process.env['PATH'] ?? '', RQT_HARNESS: harness.root };
  // Without replies in between, the client would take the runner for dead.
  const keepAlive = async (): Promise<void> => await client.environment(environment);
  const end = async (): Promise<unknown> => {
    writeFileSync(harness.file('go'), '');
    const outcome = await spawned;
    await waitFor(() => exits.get(1));
    return outcome;
  };
  return { keepAlive, end };
}

test('a job that waited for a slot for ten seconds is cancelled, with and without Python', async () => {
  const harnesses = [new RunnerHarness(), new RunnerHarness()];
  const [withPython, withoutPython] = harnesses as [RunnerHarness, RunnerHarness];
  const first = await fillSlot(withPython);
  withoutPython.hidePython();
  const full = [first, await fillSlot(withoutPython)];
  const startMs = performance.now();
  await waitFor(async () => {
    for (const { keepAlive } of full) await keepAlive();
    return performance.now() - startMs > 10_100;
  });
  for (const { end } of full) expect(await end()).toBe('CANCELLED');
  expect(harnesses.map((harness) => existsSync(harness.file('ran')))).toEqual([false, false]);
});

test('a job of an earlier runner occupies a slot', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  await first.client.spawn(harness.job(1, FOREVER));
  await waitFor(() => harness.read('out.1') !== '');
  await harness.killRunner();
  const { client, exits } = await harness.start();
  await client.slots(1);
  const spawned = client.spawn(harness.job(2, 'echo ran; cat go'));
  await client.environment({ PATH: process.env['PATH'] ?? '', RQT_HARNESS: harness.root });
  expect(harness.read('out.2')).toBe('');
  writeFileSync(harness.file('go'), 'go\n');
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
  await Promise.all(jids.map((jid) => client.signal({ jid, attempt: 1, signal: 'SIGTERM' })));
  await waitFor(() => exits.size === 1000);
  expect([...exits.values()].filter(({ signal }) => signal === 'SIGTERM')).toHaveLength(1000);
});

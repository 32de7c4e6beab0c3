import { existsSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RqError } from '../../../src/job/errors.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const FOREVER = 'echo ready; until [ -e go ]; do sleep 0.05; done; exit 7';

test.each([true, false])(
  'With slots some run, and others wait or are cancelled (with Python: %s)',
  async (hasPython) => {
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
    // As if it had never been asked for: it may be now.
    await client.spawn(harness.job(4, 'true'));
    await waitFor(() => exits.get(4));
  },
);

test.each([true, false])(
  'Where none can be started, most can still be taken back (with Python: %s)',
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

test.each([true, false])(
  'What has waited for ten seconds is not begun any more (with Python: %s)',
  async (hasPython) => {
    const harness = new RunnerHarness();
    if (!hasPython) harness.hidePython();
    const { client, exits } = await harness.start();
    await client.slots(1);
    await client.spawn(harness.job(1, FOREVER));
    const spawned = client.spawn(harness.job(2, 'touch ran')).catch((error: RqError) => error.facts['code']);
    const askedMs = performance.now();
    // Something is answered meanwhile, or the client would take the runner for dead.
    await waitFor(async () => {
      await client.environment({ PATH: process.env['PATH'] ?? '', RQT_HARNESS: harness.root });
      return performance.now() - askedMs > 10_100;
    });
    writeFileSync(harness.file('go'), '');
    expect(await spawned).toBe('CANCELLED');
    await waitFor(() => exits.get(1));
    expect(existsSync(harness.file('ran'))).toBe(false);
  },
);

test('What an earlier runner started takes a slot too', async () => {
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

test('Of a thousand jobs that run at once every one is seen to end', async () => {
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

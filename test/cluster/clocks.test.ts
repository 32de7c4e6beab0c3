import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleFixture } from '../support/fixture.ts';
import { type Client, Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { RemoteProcess } from './support/remote-process.ts';
import { describeInFull } from './support/scenario.ts';

const SKEW_S = 300;
const QUEUE = `${SHARE}/q`;
const STALE_MS = '3000';
/** Three times the stale time. */
const HELD_MS = 9_000;
const TURNS = 200;
const SUBMITS = 20;
const DRAIN_MS = 300_000;

describeInFull('two hosts whose clocks differ by ten minutes', () => {
  let lab: Lab;
  let leases: [RemoteProcess, RemoteProcess];
  let users: [RemoteProcess, RemoteProcess];

  beforeAll(async () => {
    const [lease, queue] = [await bundleFixture('remote-lease'), await bundleFixture('remote-queue')];
    lab = await Lab.up({ clients: 2, skew: { n1: SKEW_S, n2: -SKEW_S } });
    await lab.output('n1', rq('create'));
    const start = (host: Client, fixture: string): Promise<RemoteProcess> =>
      RemoteProcess.start(lab, host, fixture, [QUEUE, STALE_MS]);
    leases = await Promise.all([start('n1', lease), start('n2', lease)]);
    users = await Promise.all([start('n1', queue), start('n2', queue)]);
  });

  afterAll(async () => {
    await lab?.down();
  });

  test('neither host breaks a lease that is held for a long time', async () => {
    for (const [holder, contender] of [leases, [...leases].reverse()] as [RemoteProcess, RemoteProcess][]) {
      const generation = await holder.call('hold');
      await expect(contender.call('contend', { forMs: HELD_MS })).rejects.toThrow('BUSY');
      const waiting = await contender.begin('contend', { forMs: HELD_MS });
      expect(await holder.call('release')).toMatchObject({ lost: 0 });
      expect(await contender.answer(waiting)).toBe(Number(generation) + 1);
    }
  });

  test('each acquisition increases the generation by one, and no lease is lost', async () => {
    interface Turns {
      readonly generations: number[];
      readonly lost: number;
    }
    const turns = (await Promise.all(leases.map((each) => each.call('takeTurns', { times: TURNS })))) as Turns[];
    expect(turns.map(({ lost }) => lost)).toEqual([0, 0]);
    const all = turns.flatMap(({ generations }) => generations).sort((one, other) => one - other);
    expect(all).toEqual(Array.from({ length: 2 * TURNS }, (_, index) => (all[0] ?? 0) + index));
  });

  test('every transaction is executed once', async () => {
    await Promise.all(users.map((each) => each.call('add', { times: TURNS })));
    for (const each of users) expect(await each.call('counted')).toEqual({ counted: 2 * TURNS, operations: 2 * TURNS });
  });

  test('every job runs once while both hosts submit and feed', async () => {
    const submit = `for i in $(seq ${SUBMITS}); do ${rq('submit', '--quiet', '--cwd', '/tmp', 'echo $RQ_JID >>/tmp/ran')} || exit; done`;
    const feed = rq('feed', '--max_feed', '2');
    const feeders = await Promise.all(lab.clients.map((client) => lab.start(client, feed)));
    const submitters = await Promise.all(lab.clients.map((client) => lab.start(client, submit)));
    for (const submitter of submitters) expect(await submitter.waitForExit({ timeoutMs: DRAIN_MS })).toBe(0);
    const drained = `until ${rq('status', '--json')} | tr -d ' \n' | grep -qE '"pending":0,.*"running":0,'; do :; done`;
    await lab.output('n1', drained, { timeoutMs: DRAIN_MS });
    for (const feeder of feeders) await feeder.signal('TERM');
    for (const feeder of feeders) expect(await feeder.waitForExit()).toBe(0);
    const ran = await Promise.all(lab.clients.map((client) => lab.output(client, 'touch /tmp/ran; cat /tmp/ran')));
    const jids = ran.join('').split('\n').filter(Boolean).map(Number);
    expect(jids.sort((one, other) => one - other)).toEqual(
      Array.from({ length: 2 * SUBMITS }, (_, index) => index + 1),
    );
    expect(await users[0].call('contents')).toMatchObject({ integrity: 'ok' });
  });
});

function rq(...words: string[]): string {
  return shellCommand(program, QUEUE, ...words);
}

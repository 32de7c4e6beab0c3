import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleFixture } from '../support/fixture.ts';
import { type Client, Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { RemoteProcess } from './support/remote-process.ts';
import { type RpcCounts, rpcsBetween } from './support/rpc-counts.ts';
import { describeCluster, inFull, isFull, print } from './support/scenario.ts';

const TIMES = 40;
const TURNS = 12;
const HEARTBEATS = 4;
const QUEUE = `${SHARE}/q`;

describeCluster('round trips to the NFS server', () => {
  let lab: Lab;
  let first: RemoteProcess;
  let second: RemoteProcess;

  beforeAll(async () => {
    const fixture = await bundleFixture('remote-queue');
    lab = await Lab.up({ clients: 2 });
    await lab.output('n1', `${program} ${QUEUE} create`);
    first = await RemoteProcess.start(lab, 'n1', fixture, [QUEUE]);
    second = await RemoteProcess.start(lab, 'n2', fixture, [QUEUE]);
  });

  afterAll(async () => {
    await lab?.down();
  });

  /** Prints and returns the round trips of a host per step. */
  async function costs(what: string, host: Client, steps: number, action: () => Promise<unknown>): Promise<number> {
    const before = await lab.rpcCounts(host);
    await action();
    return printCounts(what, rpcsBetween(before, await lab.rpcCounts(host)), steps);
  }

  async function takeTurns(what: string): Promise<number> {
    return await costs(what, 'n1', TURNS, async () => {
      for (let turn = 0; turn < TURNS; turn++) {
        await first.call('add', { times: 1 });
        await second.call('add', { times: 1 });
      }
    });
  }

  function printCounts(what: string, { total, operations }: RpcCounts, steps: number): number {
    const each = Object.entries(operations).sort(([, one], [, other]) => other - one);
    const details = each.map(([name, count]) => `${name} ${(count / steps).toFixed(1)}`).join(', ');
    print(`${what.padEnd(36)} ${(total / steps).toFixed(1).padStart(5)}  ${details}`);
    return total / steps;
  }

  test('a transaction needs at most 30 round trips while only one host writes', async () => {
    await first.call('add', { times: 5 });
    const each = await costs('transaction, alone', 'n1', TIMES, () => first.call('add', { times: TIMES }));
    expect(each).toBeLessThanOrEqual(30);
  });

  test('a transaction needs at most 42 round trips while two hosts take turns', async () => {
    await second.call('add', { times: 1 });
    expect(await takeTurns('transaction, taking turns')).toBeLessThanOrEqual(42);
  });

  test.runIf(isFull)(
    inFull('thousands of earlier transactions do not increase the number of round trips'),
    async () => {
      await first.call('remember', { times: 9_000 });
      await second.call('add', { times: 1 });
      expect(await takeTurns('transaction, taking turns, long used')).toBeLessThanOrEqual(42);
    },
  );

  test('a command that submits a job needs at most 60 round trips, and one that lists jobs at most 20', async () => {
    const repeated = (...words: string[]): string => `for n in $(seq ${TURNS}); do ${rq(...words)} >/dev/null; done`;
    await second.call('add', { times: 1 });
    const submit = await costs('submit', 'n1', TURNS, () =>
      lab.output('n1', repeated('submit', '--quiet', '--stage', 'true')),
    );
    const list = await costs('list', 'n1', TURNS, () => lab.output('n1', repeated('list')));
    expect(submit).toBeLessThanOrEqual(60);
    expect(list).toBeLessThanOrEqual(20);
  });

  test('a poll needs at most 2 round trips', async () => {
    await first.call('watch', { times: 1 });
    const each = await costs('poll', 'n1', TIMES, () => first.call('watch', { times: TIMES }));
    expect(each).toBeLessThanOrEqual(2);
  });

  test.runIf(isFull)(inFull('a search for claimable jobs needs fewer round trips than a transaction'), async () => {
    await first.call('claimable', { times: 1 });
    const idle = await costs('search for jobs, nothing new', 'n1', TIMES, () =>
      first.call('claimable', { times: TIMES }),
    );
    const changed = await costs('search for jobs, after a change', 'n1', TURNS, async () => {
      for (let turn = 0; turn < TURNS; turn++) {
        await second.call('add', { times: 1 });
        await first.call('claimable', { times: 1 });
      }
    });
    expect(idle).toBeLessThanOrEqual(20);
    expect(changed).toBeLessThanOrEqual(30);
  });

  describe.runIf(isFull)(inFull('of an idle feeder'), () => {
    const node = `/srv/disk/q/q/nodes/n1`;

    /** The round trips from one heartbeat to the next, with polls and checks of other hosts in between. */
    async function betweenHeartbeats(what: string, lostAfterS: number, sleepS: number): Promise<number> {
      await lab.output('n1', rq('configure', `lost_after=${lostAfterS}`, `min_sleep=${sleepS}`, `max_sleep=${sleepS}`));
      const feeder = await lab.start('n1', rq('feed'));
      await lab.output('server', `until [ -e ${node} ]; do sleep 0.2; done`);
      // The first heartbeat makes requests whose replies are cached later.
      await waitForHeartbeats(1);
      const before = await lab.rpcCounts('n1');
      await waitForHeartbeats(HEARTBEATS);
      // An NFSv4 client renews its own lease with SEQUENCE, whether or not a program uses the mount.
      const { SEQUENCE = 0, ...operations } = rpcsBetween(before, await lab.rpcCounts('n1')).operations;
      const total = Object.values(operations).reduce((sum, count) => sum + count, 0);
      const each = printCounts(what, { total, operations }, HEARTBEATS);
      print(`  and SEQUENCE ${SEQUENCE}`);
      await feeder.signal('TERM');
      expect(await feeder.waitForExit()).toBe(0);
      return each;
    }

    async function waitForHeartbeats(count: number): Promise<void> {
      const next = `was=$(stat -c %y ${node}); until [ "$(stat -c %y ${node})" != "$was" ]; do sleep 0.2; done`;
      await lab.output('server', `for n in $(seq ${count}); do ${next}; done`, { timeoutMs: 60_000 * count });
    }

    test('a heartbeat needs at most 3 round trips', async () => {
      expect(await betweenHeartbeats('heartbeat', 360_000, 3_600)).toBeLessThanOrEqual(3);
    });

    test('a heartbeat, a poll and a check of another host together need fewer round trips than a transaction', async () => {
      await lab.output(
        'n2',
        rq('submit', '--quiet', '--cwd', '/tmp', '--runner', 'n2', 'until [ -e /tmp/gate ]; do sleep 1; done'),
      );
      const other = await lab.start('n2', rq('feed', '--min_sleep', '1', '--max_sleep', '1'));
      await other.waitForOutput('job started');
      expect(await betweenHeartbeats('heartbeat, poll, check of the other host', 300, 25)).toBeLessThanOrEqual(30);
      await lab.output('n2', 'touch /tmp/gate');
      await other.waitForOutput('job ended');
      await other.signal('TERM');
      expect(await other.waitForExit()).toBe(0);
    });
  });
});

function rq(...words: string[]): string {
  return shellCommand(program, QUEUE, ...words);
}

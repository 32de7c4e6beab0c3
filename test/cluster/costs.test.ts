import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleFixture } from '../support/fixture.ts';
import { type Client, Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { type RpcCounts, rpcsBetween } from './support/rpc-counts.ts';
import { describeCluster, inFull, isFull, print } from './support/scenario.ts';
import { SteeredProcess } from './support/steered-process.ts';

const TIMES = 40;
const TURNS = 12;
const BEATS = 4;
const QUEUE = `${SHARE}/q`;

describeCluster('Round trips to the NFS server', () => {
  let lab: Lab;
  let first: SteeredProcess;
  let second: SteeredProcess;

  beforeAll(async () => {
    const fixture = await bundleFixture('steered-queue');
    lab = await Lab.up({ clients: 2 });
    await lab.output('n1', `${program} ${QUEUE} create`);
    first = await SteeredProcess.start(lab, 'n1', fixture, [QUEUE]);
    second = await SteeredProcess.start(lab, 'n2', fixture, [QUEUE]);
  });

  afterAll(async () => {
    await lab?.down();
  });

  /** Prints and gives how many round trips a host made for each of so many steps. */
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

  test('A transaction makes at most 30 when one host writes alone', async () => {
    await first.call('add', { times: 5 });
    const each = await costs('transaction, alone', 'n1', TIMES, () => first.call('add', { times: TIMES }));
    expect(each).toBeLessThanOrEqual(30);
  });

  test('A transaction makes at most 42 when two hosts take turns', async () => {
    await second.call('add', { times: 1 });
    expect(await takeTurns('transaction, taking turns')).toBeLessThanOrEqual(42);
  });

  test.runIf(isFull)(inFull('… and no more in a queue that was written to thousands of times'), async () => {
    await first.call('remember', { times: 9_000 });
    await second.call('add', { times: 1 });
    expect(await takeTurns('transaction, taking turns, long used')).toBeLessThanOrEqual(42);
  });

  test('A poll makes at most 2', async () => {
    await first.call('watch', { times: 1 });
    const each = await costs('poll', 'n1', TIMES, () => first.call('watch', { times: TIMES }));
    expect(each).toBeLessThanOrEqual(2);
  });

  test.runIf(isFull)(inFull('To look for jobs to claim makes fewer than a transaction'), async () => {
    await first.call('claimable', { times: 1 });
    const idle = await costs('look for jobs, nothing new', 'n1', TIMES, () =>
      first.call('claimable', { times: TIMES }),
    );
    const changed = await costs('look for jobs, after a change', 'n1', TURNS, async () => {
      for (let turn = 0; turn < TURNS; turn++) {
        await second.call('add', { times: 1 });
        await first.call('claimable', { times: 1 });
      }
    });
    expect(idle).toBeLessThanOrEqual(20);
    expect(changed).toBeLessThanOrEqual(30);
  });

  describe.runIf(isFull)(inFull('of a feeder that has nothing to do'), () => {
    const node = `/srv/disk/q/q/nodes/n1`;

    /** How many round trips it makes from one of its beats to the next; it polls, and looks at others, every so often. */
    async function betweenBeats(what: string, lostAfterS: number, sleepS: number): Promise<number> {
      await lab.output('n1', rq('configure', `lost_after=${lostAfterS}`, `min_sleep=${sleepS}`, `max_sleep=${sleepS}`));
      const feeder = await lab.start('n1', rq('feed'));
      await lab.output('server', `until [ -e ${node} ]; do sleep 0.2; done`);
      // The first one still has to ask for what is cached later.
      await waitForBeats(1);
      const before = await lab.rpcCounts('n1');
      await waitForBeats(BEATS);
      // SEQUENCE is how a client of version 4 keeps its own lease, whoever uses it.
      const { SEQUENCE = 0, ...operations } = rpcsBetween(before, await lab.rpcCounts('n1')).operations;
      const total = Object.values(operations).reduce((sum, count) => sum + count, 0);
      const each = printCounts(what, { total, operations }, BEATS);
      print(`  and SEQUENCE ${SEQUENCE}`);
      await feeder.signal('TERM');
      expect(await feeder.waitForExit()).toBe(0);
      return each;
    }

    async function waitForBeats(count: number): Promise<void> {
      const next = `was=$(stat -c %y ${node}); until [ "$(stat -c %y ${node})" != "$was" ]; do sleep 0.2; done`;
      await lab.output('server', `for beat in $(seq ${count}); do ${next}; done`, { timeoutMs: 60_000 * count });
    }

    test('A beat makes one, every 30 s, and the client asks now and then about the way to it', async () => {
      expect(await betweenBeats('beat', 360_000, 3_600)).toBeLessThanOrEqual(3);
    });

    test('A beat with a look at a host that runs a job makes fewer than a transaction', async () => {
      await lab.output(
        'n2',
        rq('submit', '--quiet', '--cwd', '/tmp', '--runner', 'n2', 'until [ -e /tmp/gate ]; do sleep 1; done'),
      );
      const other = await lab.start('n2', rq('feed', '--min_sleep', '1', '--max_sleep', '1'));
      await other.waitForOutput('job started');
      expect(await betweenBeats('beat, poll, look at the other host', 300, 25)).toBeLessThanOrEqual(30);
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

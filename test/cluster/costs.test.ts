import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleFixture } from '../support/fixture.ts';
import { type Client, Lab, SHARE } from './support/lab.ts';
import { program } from './support/program.ts';
import { type RpcCounts, rpcsBetween } from './support/rpc-counts.ts';
import { describeCluster, tell } from './support/scenario.ts';
import { SteeredProcess } from './support/steered-process.ts';

const TIMES = 40;
const TURNS = 12;
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
    return print(what, rpcsBetween(before, await lab.rpcCounts(host)), steps);
  }

  async function takeTurns(what: string): Promise<number> {
    return await costs(what, 'n1', TURNS, async () => {
      for (let turn = 0; turn < TURNS; turn++) {
        await first.call('add', { times: 1 });
        await second.call('add', { times: 1 });
      }
    });
  }

  function print(what: string, { total, operations }: RpcCounts, steps: number): number {
    const each = Object.entries(operations).sort(([, one], [, other]) => other - one);
    const details = each.map(([name, count]) => `${name} ${(count / steps).toFixed(1)}`).join(', ');
    tell(`${what.padEnd(36)} ${(total / steps).toFixed(1).padStart(5)}  ${details}`);
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

  test('… and no more in a queue that was written to thousands of times', async () => {
    await first.call('remember', { times: 9_000 });
    await second.call('add', { times: 1 });
    expect(await takeTurns('transaction, taking turns, long used')).toBeLessThanOrEqual(42);
  });

  test('A poll makes at most 2', async () => {
    await first.call('watch', { times: 1 });
    const each = await costs('poll', 'n1', TIMES, () => first.call('watch', { times: TIMES }));
    expect(each).toBeLessThanOrEqual(2);
  });

  test('To look for jobs to claim makes fewer than a transaction', async () => {
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
});

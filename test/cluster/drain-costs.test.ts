import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { type RpcCounts, rpcsBetween } from './support/rpc-counts.ts';
import { describeInFull, print, reportFacts } from './support/scenario.ts';

/**
 * Jobs that keep the processors busy, and jobs that leave them idle, with limits of round trips per job for one host and for
 * three. A transaction takes 26 and 40 round trips (costs.test.ts). The limits include the start of the feeder, its polls and
 * its waits for the lease. Short jobs share transactions; long jobs have one each.
 */
const KINDS = [
  { command: 'true', jobs: 300, atMost: [13, 30] },
  { command: 'sleep 4', jobs: 48, atMost: [52, 84] },
] as const;
const SLOTS = 4;
const FILES = 50;
const DRAIN_MS = 600_000;

interface Drained {
  /** Round trips per job, without those for its two files. */
  readonly each: number;
  /** Jobs per second. */
  readonly rate: number;
}

describeInFull('the round trips of a drain', () => {
  let lab: Lab;
  let eachFile = 0;

  beforeAll(async () => {
    lab = await Lab.up({ clients: 3 });
    const before = await lab.rpcCounts('n1');
    await lab.output('n1', `mkdir ${SHARE}/files; for n in $(seq ${FILES}); do : >${SHARE}/files/$n; done`);
    eachFile = rpcsBetween(before, await lab.rpcCounts('n1')).total / FILES;
    print(`creation of a file: ${eachFile.toFixed(1)}`);
  });

  afterAll(async () => {
    await lab?.down();
  });

  /** Drains a new queue on these hosts. */
  async function drain(name: string, hosts: readonly Client[], command: string, jobs: number): Promise<Drained> {
    const queue = `${SHARE}/${name}`;
    const rq = (...words: string[]): string => shellCommand(program, queue, ...words);
    await lab.output('n1', rq('create'));
    await lab.output('n1', `yes '${command}' | head -${jobs} | ${rq('submit', '--quiet', '--cwd', '/tmp', '-')}`);
    const before = await Promise.all(hosts.map((host) => lab.rpcCounts(host)));
    const startMs = performance.now();
    const feeders = await Promise.all(
      hosts.map((host) => lab.start(host, `exec ${rq('feed', '--until-empty', '--max_feed', String(SLOTS))}`)),
    );
    for (const feeder of feeders) expect(await feeder.waitForExit({ timeoutMs: DRAIN_MS })).toBe(0);
    const rate = (jobs * 1000) / (performance.now() - startMs);
    const after = await Promise.all(hosts.map((host) => lab.rpcCounts(host)));
    const done = after.map((counts, index) => rpcsBetween(before[index] as RpcCounts, counts));
    const finished = rq('execute', '--json', "select count(*) as n from jobs where state = 'finished'");
    expect(JSON.parse(await lab.output('n1', finished))).toEqual([{ n: jobs }]);
    const each = done.reduce((sum, { total }) => sum + total, 0) / jobs - 2 * eachFile;
    print(`${name}: ${each.toFixed(1)} per job without its files; ${rate.toFixed(1)} jobs/s`);
    for (const { operations } of done) print(`  ${JSON.stringify(operations)}`);
    return { each, rate };
  }

  test.each(KINDS)(
    'stay within limits for $jobs jobs "$command" on one host and on three',
    async ({ command, jobs, atMost: [ofOne, ofThree] }) => {
      const name = command.replace(' ', '');
      const alone = await drain(`${name}-1`, ['n1'], command, jobs);
      const three = await drain(`${name}-3`, lab.clients, command, jobs);
      const found = `${alone.each.toFixed(1)} and ${three.each.toFixed(1)} round trips per job, ${(three.rate / alone.rate).toFixed(2)} times as fast`;
      reportFacts({ jobs: 2 * jobs, found });
      expect(alone.each).toBeLessThanOrEqual(ofOne);
      expect(three.each).toBeLessThanOrEqual(ofThree);
    },
  );
});

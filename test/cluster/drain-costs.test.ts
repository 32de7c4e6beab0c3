import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { type RpcCounts, rpcsBetween } from './support/rpc-counts.ts';
import { describeInFull, print, reportFacts } from './support/scenario.ts';

/**
 * Of no length, so that the processors are what is short, and of one that leaves them idle; and how many round trips a job
 * may take, of one host and of three. A transaction makes 26 and 40 (costs.test.ts), and the start of a feeder, its polls
 * and its looks at the lock are in it: short jobs share transactions, long ones have one each.
 */
const KINDS = [
  { command: 'true', jobs: 300, atMost: [13, 30] },
  { command: 'sleep 4', jobs: 48, atMost: [52, 84] },
] as const;
const SLOTS = 4;
const FILES = 50;
const DRAIN_MS = 600_000;

interface Drained {
  /** Round trips a job for the database and all else that is not its two files. */
  readonly each: number;
  /** Jobs a second. */
  readonly rate: number;
}

describeInFull('What a drain of short jobs asks of the NFS server', () => {
  let lab: Lab;
  let eachFile = 0;

  beforeAll(async () => {
    lab = await Lab.up({ clients: 3 });
    const before = await lab.rpcCounts('n1');
    await lab.output('n1', `mkdir ${SHARE}/files; for n in $(seq ${FILES}); do : >${SHARE}/files/$n; done`);
    eachFile = rpcsBetween(before, await lab.rpcCounts('n1')).total / FILES;
    print(`a file that is made: ${eachFile.toFixed(1)}`);
  });

  afterAll(async () => {
    await lab?.down();
  });

  /** Has these hosts drain a queue of their own. */
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
    print(`${name}: ${each.toFixed(1)} a job without its files; ${rate.toFixed(1)} jobs/s`);
    for (const { operations } of done) print(`  ${JSON.stringify(operations)}`);
    return { each, rate };
  }

  test.each(KINDS)(
    'Of one host and of three: $jobs times $command',
    async ({ command, jobs, atMost: [ofOne, ofThree] }) => {
      const name = command.replace(' ', '');
      const alone = await drain(`${name}-1`, ['n1'], command, jobs);
      const three = await drain(`${name}-3`, lab.clients, command, jobs);
      const found = `${alone.each.toFixed(1)} and ${three.each.toFixed(1)} round trips a job, ${(three.rate / alone.rate).toFixed(2)} times as fast`;
      reportFacts({ jobs: 2 * jobs, found });
      expect(alone.each).toBeLessThanOrEqual(ofOne);
      expect(three.each).toBeLessThanOrEqual(ofThree);
    },
  );
});

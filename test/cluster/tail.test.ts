import { afterEach, expect, test } from 'vitest';
import { Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { rpcsBetween } from './support/rpc-counts.ts';
import { describeInFull, print } from './support/scenario.ts';

const QUEUE = `${SHARE}/q`;
const LINES = 12;

describeInFull('tail of a job on another host', () => {
  let lab: Lab | undefined;

  afterEach(async () => {
    await lab?.down();
    lab = undefined;
  });

  test.each(['vers=4.2,hard', 'vers=3,hard'])('tail prints line by line over %s', async (mountOptions) => {
    lab = await Lab.up({ clients: 2, mountOptions });
    await lab.output('n1', rq('create'));
    const job = `for n in $(seq ${LINES}); do date +%s%N; sleep 0.7; done`;
    await lab.output('n1', rq('submit', '--quiet', '--cwd', '/tmp', job));
    const stamp = 'while read -r line; do echo $line $(date +%s%N); done';
    const tail = await lab.start('n2', `${rq('tail', '1', '--from-start')} | ${stamp}`);
    await tail.waitForOutput('job 1 is pending; waiting for it to start');
    // A client caches for half a minute that a file does not exist. The job is shorter.
    const missing = `${QUEUE}/stdout/1`;
    expect((await lab.run('n2', `ls ${QUEUE}/stdout; sleep 1; cat ${missing}; sleep 1; cat ${missing}`)).status).toBe(
      1,
    );
    const before = await lab.rpcCounts('n2');
    const feeder = await lab.start('n1', rq('feed', '--until-empty'));
    expect(await feeder.waitForExit({ timeoutMs: 120_000 })).toBe(0);
    expect(await tail.waitForExit({ timeoutMs: 120_000 })).toBe(0);
    const pairs = [...(await tail.output()).matchAll(/^(\d{19}) (\d{19})$/gm)];
    expect(pairs).toHaveLength(LINES);
    const delays = pairs.map(([, written, read]) => Math.round(Number(BigInt(read ?? 0) - BigInt(written ?? 0)) / 1e6));
    const { total, operations } = rpcsBetween(before, await lab.rpcCounts('n2'));
    print(`${mountOptions}: after ${delays.join(' ')} ms; ${total} RPCs: ${JSON.stringify(operations)}`);
  });
});

function rq(...words: string[]): string {
  return shellCommand(program, QUEUE, ...words);
}

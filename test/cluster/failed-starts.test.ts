import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { type Client, Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { describeInFull } from './support/scenario.ts';

const QUEUE = `${SHARE}/q`;
const JOBS = 40;
const RECORD = `echo "$(hostname)" >>${SHARE}/ran.$RQ_JID`;

function rq(...words: string[]): string {
  return shellCommand(program, QUEUE, ...words);
}

interface Job {
  readonly state: string;
  readonly reason?: string;
  readonly submitted: string;
  readonly finished: string;
}

describeInFull('jobs that some hosts cannot start', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.up({ clients: 3 });
    await lab.output('n1', rq('create'));
    await lab.output('n1', rq('configure', 'min_sleep=0.2', 'max_sleep=1'));
  });

  afterAll(async () => {
    await lab?.down();
  });

  async function jobs(selection: string): Promise<Job[]> {
    const { output } = await lab.run('n3', `${rq('list', selection, '--json')} 2>/dev/null`);
    return output.trim() === '' ? [] : (JSON.parse(output) as Job[]);
  }

  async function submit(cwd: string, count: number): Promise<void> {
    await lab.output('n1', `yes '${RECORD}' | head -${count} | ${rq('submit', '--quiet', '--cwd', cwd, '-')}`);
  }

  async function feedWhile(hosts: readonly Client[], work: () => Promise<void>): Promise<void> {
    const feeders = await Promise.all(hosts.map((host) => lab.start(host, rq('feed', '--max_feed', '2'))));
    await work();
    for (const feeder of feeders) {
      await feeder.signal('TERM');
      await feeder.waitForExit();
    }
  }

  test('are all run by the host that can, and the other host runs those that it can', async () => {
    await lab.output('n2', 'mkdir /tmp/only-here');
    await submit('/tmp/only-here', JOBS);
    await submit('/tmp', JOBS);
    await feedWhile(['n1', 'n2'], () =>
      waitFor(async () => (await jobs('finished')).length === 2 * JOBS, 240_000).then(() => undefined),
    );
    const hosts = (await lab.output('n3', `cd ${SHARE}; cat $(seq -f ran.%g 1 ${JOBS})`)).trim().split('\n');
    expect(hosts).toEqual(Array(JOBS).fill('n2'));
    expect(await lab.output('n3', `cd ${SHARE}; cat $(seq -f ran.%g ${JOBS + 1} ${2 * JOBS}) | wc -l`)).toBe(
      `${JOBS}\n`,
    );
  });

  test('are dead after a minute if no host can, with the hosts in the reason', async () => {
    await submit('/tmp/nowhere', 1);
    await feedWhile(['n1', 'n2', 'n3'], () =>
      waitFor(async () => (await jobs('dead')).length === 1, 240_000).then(() => undefined),
    );
    const [dead] = await jobs('dead');
    expect(dead?.reason).toMatch(/no such file or directory \(tried on n\d, n\d, n\d\)$/);
    const seconds = (Date.parse(dead?.finished ?? '') - Date.parse(dead?.submitted ?? '')) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(60);
  });
});

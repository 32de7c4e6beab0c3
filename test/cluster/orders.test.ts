import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { describeInFull } from './support/scenario.ts';

const QUEUE = `${SHARE}/q`;
const MAX_SLEEP_S = 2;
const ORDERS = 50;
const JOBS = 1000;
const HOSTS = ['n1', 'n2', 'n3'] as const;

function rq(...words: string[]): string {
  return shellCommand(program, QUEUE, ...words);
}

describeInFull('orders for jobs on other hosts', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.up({ clients: 4 });
    await lab.output('n1', rq('create'));
    await lab.output('n1', rq('configure', 'min_sleep=0.5', `max_sleep=${MAX_SLEEP_S}`));
  });

  afterAll(async () => {
    await lab?.down();
  });

  /** The number of jobs in each state. */
  async function counts(): Promise<Record<string, number>> {
    return (JSON.parse(await lab.output('n4', rq('status', '--json'))) as { jobs: Record<string, number> }).jobs;
  }

  test('reach the processes within twice max_sleep, from a host that does not feed', async () => {
    const feeder = await lab.start('n1', rq('feed', '--max_feed', '1'));
    const trap = `trap 'date +%s.%N >>${SHARE}/received' USR1; while [ ! -e ${SHARE}/go ]; do sleep 0.05; done`;
    await lab.output('n4', rq('submit', '-q', trap));
    await waitFor(async () => (await counts())['running'] === 1, 120_000);
    // The clocks of the hosts are that of this machine.
    const send = `for n in $(seq ${ORDERS}); do
      ${rq('signal', '-q', 'USR1', '1')}; date +%s.%N >>${SHARE}/sent
      until [ "$(wc -l <${SHARE}/received 2>/dev/null)" = $n ]; do sleep 0.05; ls ${SHARE} >/dev/null; done; done`;
    await lab.output('n4', send, { timeoutMs: 600_000 });
    const times = async (name: string): Promise<number[]> =>
      (await lab.output('n4', `cat ${SHARE}/${name}`)).trim().split('\n').map(Number);
    const [sent, received] = [await times('sent'), await times('received')];
    const delays = sent.map((at, index) => (received[index] ?? Number.NaN) - at);
    console.log(`from the end of signal to the trap: at most ${Math.max(...delays).toFixed(2)} s`);
    expect(received).toHaveLength(ORDERS);
    expect(delays.filter((delay) => delay <= 2 * MAX_SLEEP_S)).toHaveLength(ORDERS);
    await lab.output('n4', `touch ${SHARE}/go`);
    await feeder.signal('TERM');
    await feeder.waitForExit();
  });

  test('kill a thousand running jobs on three hosts with one command', async () => {
    const feeders = await Promise.all(HOSTS.map((host) => lab.start(host, rq('feed', '--max_feed', '340'))));
    await lab.output('n4', `yes 'exec sleep 6000' | head -${JOBS} | ${rq('submit', '-q', '--restartable', '-')}`);
    await waitFor(async () => (await counts())['running'] === JOBS, 900_000);
    await lab.output('n4', rq('kill', '-q', '--no-wait', '--reason', 'the end', 'running'));
    await waitFor(async () => (await counts())['running'] === 0, 900_000);
    const jobs = JSON.parse(
      await lab.output('n4', rq('list', 'all', '--json', '--fields', 'state,reason,attempt')),
    ) as {
      state: string;
      reason: string;
      attempt: number;
    }[];
    const killed = jobs.filter(({ reason }) => /^killed .*: the end$/.test(reason ?? ''));
    expect(killed).toHaveLength(JOBS);
    // A job that its host had not yet begun is dead, and did not begin.
    for (const { state, attempt } of killed)
      expect([state, attempt]).toEqual(attempt === 1 ? ['finished', 1] : ['dead', 0]);
    for (const host of HOSTS) expect(await lab.output(host, "pgrep -c -fx 'sleep 6000' || true")).toBe('0\n');
    for (const feeder of feeders) {
      await feeder.signal('TERM');
      await feeder.waitForExit();
    }
  });
});

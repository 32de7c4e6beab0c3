import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { Lab, SERVER2, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { describeInFull } from './support/scenario.ts';

const QUEUE = `${SHARE}/q`;
const OTHER = '/mnt/other';
const DIRECTORY = `${OTHER}/work`;
const PLAIN_JOBS = 20;

describeInFull('a job whose directory is on another server that does not answer', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.up({ clients: 2 });
    await lab.boot('server2');
    for (const host of lab.clients) {
      // Without caches, so that the host asks the server for the directory.
      const mount = `mount -t nfs -o vers=4.2,hard,noac,lookupcache=none ${SERVER2}:/ ${OTHER}`;
      await lab.output(host, `mkdir -p ${OTHER} && ${mount} && mkdir -p ${DIRECTORY}`);
    }
    await lab.output('n1', rq('create'));
    await lab.output('n1', rq('configure', 'min_sleep=0.2', 'max_sleep=1'));
  });

  afterAll(async () => {
    await lab?.down();
  });

  test('waits without delaying others, runs on another host, and is not started by the first host later', async () => {
    const command = 'echo "$(hostname) $RQ_ATTEMPT" >>starts; hostname';
    await lab.output('n1', `cd ${DIRECTORY} && ${rq('submit', '--quiet', command)}`);
    // n1 no longer reaches the second server: its frames go to an address that no card has.
    await lab.output('n1', `ip neigh replace ${SERVER2} lladdr 02:77:00:00:00:fe dev vec0 nud permanent`);
    await lab.output('n1', `cd ${SHARE} && yes true | head -${PLAIN_JOBS} | ${rq('submit', '--quiet', '-')}`);
    const first = await lab.start('n1', rq('feed', '--max_feed', '2'));
    await waitFor(async () => (await count('n1', 'finished')) === PLAIN_JOBS, 120_000);
    expect(await lab.output('n1', rq('list', '1'))).toContain('state: running');
    // A feeder that is restarted adopts the runner, in which the job still waits.
    await first.signal('TERM');
    const again = await lab.start('n1', rq('feed', '--max_feed', '2'));
    const second = await lab.start('n2', rq('feed', '--max_feed', '2'));
    await waitFor(async () => (await count('n2', 'finished')) === PLAIN_JOBS + 1, 400_000);
    await lab.output('n1', `ip neigh del ${SERVER2} dev vec0`);
    await lab.output('n1', `cd ${SHARE} && yes true | head -${PLAIN_JOBS} | ${rq('submit', '--quiet', '-')}`);
    await waitFor(async () => (await count('n2', 'finished')) === 2 * PLAIN_JOBS + 1, 120_000);
    expect(await lab.output('n1', `cat ${DIRECTORY}/starts`)).toMatch(/^n2 \d+\n$/);
    expect(await lab.output('n2', rq('stdout', '1'))).toBe('n2\n');
    for (const feeder of [again, second]) {
      await feeder.signal('TERM');
      await feeder.waitForExit();
    }
  });

  async function count(host: 'n1' | 'n2', state: string): Promise<number> {
    // Exit status 3 if there is none.
    const { output } = await lab.run(host, rq('list', state, '--fields', 'jid'));
    return output.split('\n').filter((line) => line.includes('jid:')).length;
  }
});

function rq(...words: string[]): string {
  return shellCommand(program, QUEUE, ...words);
}

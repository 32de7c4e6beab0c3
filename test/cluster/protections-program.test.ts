import { afterEach, expect, test } from 'vitest';
import { type Protection, programWithout } from '../support/protections.ts';
import { Cluster, type ClusterOptions } from './support/cluster.ts';
import { variedJobs } from './support/job-records.ts';
import { SHARE } from './support/lab.ts';
import { describeInFull, reportFacts } from './support/scenario.ts';

const GATE = '/tmp/gate';

describeInFull('A protection of the program is taken out', () => {
  let cluster: Cluster | undefined;

  afterEach(async () => {
    await cluster?.down();
    cluster = undefined;
  });

  async function up(out: Protection | undefined, options: Omit<ClusterOptions, 'clients'> = {}): Promise<Cluster> {
    const variant = out === undefined ? {} : { program: await programWithout(out) };
    cluster = await Cluster.up({ clients: 1, records: 'local', ...variant, ...options });
    return cluster;
  }

  function judge(mistakes: readonly string[]): void {
    reportFacts({ found: mistakes.length === 0 ? 'right' : `wrong: ${mistakes[0]?.slice(0, 120)}` });
  }

  test.each([
    ['with all the books are right', undefined, true],
    ['without the fence they are wrong', 'fence', false],
  ] as const)('A queue whose lease begins anew, as after it was restored: %s', async (_, out, right) => {
    const used = await up(out);
    await used.submit('n1', variedJobs(6, [0]));
    await used.lab.output('n1', `rmdir ${SHARE}/q/lease.*`);
    await used.feed('n1');
    const mistakes = await used.close('names of the lease removed', {}, 30_000);
    judge(mistakes);
    expect(mistakes.length === 0).toBe(right);
  });

  test.each([
    ['with all the books are right', undefined, true],
    ['without its journal they are wrong', 'journal of the runner', false],
  ] as const)('A runner that is killed while jobs run: %s', async (_, out, right) => {
    const used = await up(out);
    const [jid = 0] = await used.submit('n1', [{ seconds: 0, status: 5, gate: GATE }]);
    await used.feed('n1');
    await used.waitForStarts(jid);
    await used.lab.output('n1', 'kill -9 $(cat /tmp/rq-0/*/runner.pid)');
    // Without the journal it is started once more; with it, it goes on alone.
    if (right) await used.waitForFeederOutput('lost the runner');
    else await used.waitForStarts(jid, 2);
    await used.lab.output('n1', `touch ${GATE}`);
    const mistakes = await used.close('a runner is killed', { runnersKilled: true });
    judge(mistakes);
    expect(mistakes.length === 0).toBe(right);
  });
});

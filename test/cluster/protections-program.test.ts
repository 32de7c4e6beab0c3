import { afterEach, expect, test } from 'vitest';
import { type Protection, programWithout } from '../support/protections.ts';
import { Cluster, type ClusterOptions } from './support/cluster.ts';
import { variedJobs } from './support/job-records.ts';
import { SHARE } from './support/lab.ts';
import { describeInFull, reportFacts } from './support/scenario.ts';

const GATE = '/tmp/gate';

describeInFull('the program without one of its protections', () => {
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

  function reportResult(mistakes: readonly string[]): void {
    reportFacts({ found: mistakes.length === 0 ? 'no mistakes' : `mistake: ${mistakes[0]?.slice(0, 120)}` });
  }

  test.each([
    ['no mistakes with all protections', undefined, true],
    ['mistakes without the fence', 'fence', false],
  ] as const)('makes %s in a queue whose lease starts again, as after a restore', async (_, out, right) => {
    const used = await up(out);
    await used.submit('n1', variedJobs(6, [0]));
    await used.lab.output('n1', `rmdir ${SHARE}/q/lease.*`);
    await used.feed('n1');
    const mistakes = await used.finish('names of the lease removed', {}, 30_000);
    reportResult(mistakes);
    expect(mistakes.length === 0).toBe(right);
  });

  test.each([
    ['no mistakes with all protections', undefined, true],
    ['mistakes without the journal of the runner', 'journal of the runner', false],
  ] as const)('makes %s when a runner and its starter are killed while jobs run', async (_, out, right) => {
    const used = await up(out);
    const [jid = 0] = await used.submit('n1', [{ seconds: 0, status: 5, gate: GATE }]);
    await used.feed('n1');
    await used.waitForStarts(jid);
    await used.lab.output('n1', 'kill -9 $(cat /var/tmp/rq-0/*/runner.pid) $(pgrep -x rq-starter)');
    // With the journal, the job continues. Without it, the job is started a second time.
    if (right) await used.waitForFeederOutput('lost the runner');
    else await used.waitForStarts(jid, 2);
    await used.lab.output('n1', `touch ${GATE}`);
    const mistakes = await used.finish('a runner and its starter are killed', { startersKilled: true });
    reportResult(mistakes);
    expect(mistakes.length === 0).toBe(right);
  });
});

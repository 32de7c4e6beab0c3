import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { Cluster } from './support/cluster.ts';
import { variedJobs } from './support/job-records.ts';
import { describeInFull } from './support/scenario.ts';

const LOST_AFTER_S = 10;
/** Longer than 30 s, after which a lease is stale. */
const AWAY_MS = 35_000;
const WAIT_MS = 120_000;
const JOBS = 40;
const TRUE_STATUS = 7;
/** Jobs wait for these files on the disk of their host. */
const GIVEN_AWAY = '/tmp/gate.given-away';
const KEPT = '/tmp/gate.kept';

const FAULTS = ['disconnected', 'frozen'] as const;

describeInFull('a host that comes back after it was declared lost', () => {
  let cluster: Cluster | undefined;

  afterEach(async () => {
    await cluster?.down();
    cluster = undefined;
  });

  /** n1 runs a restartable job and one that is not. Both run until their gates open. */
  async function prepare(): Promise<{ used: Cluster; givenAway: number; kept: number }> {
    const configure = [`lost_after=${LOST_AFTER_S}`, 'min_sleep=0.2', 'max_sleep=1'];
    const used = await Cluster.up({ clients: 3, configure, records: 'local' });
    cluster = used;
    const [givenAway = 0, kept = 0] = await used.submit('n1', [
      { seconds: 0, status: 3, restartable: true, gate: GIVEN_AWAY },
      { seconds: 0, status: TRUE_STATUS, gate: KEPT },
    ]);
    await used.feed('n1', 4);
    for (const jid of [givenAway, kept]) await used.waitForStarts(jid);
    await used.feed('n2');
    await used.feed('n3');
    await used.submit('n1', variedJobs(JOBS));
    return { used, givenAway, kept };
  }

  async function untilState(used: Cluster, jid: number, expected: object): Promise<void> {
    await waitFor(async () => {
      const job = (await used.stored()).jobs.find((each) => each.jid === jid);
      return Object.entries(expected).every(([name, value]) => job?.[name as keyof typeof job] === value);
    }, WAIT_MS);
  }

  test.each(FAULTS)(
    'when the host is no longer %s, it kills the attempts of requeued jobs and reports its other attempts',
    async (fault) => {
      const { used, givenAway, kept } = await prepare();
      const { lab } = used;
      const isDisconnected = fault === 'disconnected';
      const submitter = await used.keepSubmitting('n3', variedJobs(4));
      const awayMs = performance.now();
      await (isDisconnected ? lab.cut('n1') : lab.freeze('n1'));
      await untilState(used, kept, { state: 'dead', runner: 'n1' });
      await untilState(used, givenAway, { state: 'running', attempt: 2 });
      await used.waitForStarts(givenAway, isDisconnected ? 2 : 1, isDisconnected ? lab.clients : ['n2', 'n3']);
      await waitFor(() => performance.now() - awayMs >= AWAY_MS, WAIT_MS);
      // The job that nobody took over ends while its host is disconnected, or after its host is thawed.
      if (isDisconnected) await lab.output('n1', `touch ${KEPT}`);
      await (isDisconnected ? lab.heal('n1') : lab.thaw('n1'));
      await lab.output('n1', `until ! pgrep -f '[r]ecorded-job.*${GIVEN_AWAY}' >/tmp/found; do sleep 0.1; done`);
      await lab.output('n1', `touch ${KEPT}`);
      await untilState(used, kept, { state: 'finished', exit_status: TRUE_STATUS, attempt: 1, reason: null });
      await untilState(used, givenAway, { state: 'running', attempt: 2 });
      expect(await submitter.stop()).toEqual([]);
      for (const client of lab.clients) await lab.output(client, `touch ${GIVEN_AWAY}`);
      const away = ((performance.now() - awayMs) / 1000).toFixed(0);
      expect(await used.finish(`a host is ${fault} for ${away} s`, { lost: ['n1'] })).toEqual([]);
      const { jobs } = await used.stored();
      expect(jobs.filter(({ state }) => state !== 'finished')).toEqual([]);
      expect(jobs.find(({ jid }) => jid === givenAway)).toMatchObject({ attempt: 2, exit_status: 3 });
    },
  );
});

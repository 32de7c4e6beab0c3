import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { Cluster } from './support/cluster.ts';
import { variedJobs } from './support/job-records.ts';
import { describeInFull } from './support/scenario.ts';

const JOBS = 40;
const LOST_AFTER_S = 10;
const WAIT_MS = 120_000;
const GATE = '/tmp/gate';

const REBOOTS = ['immediately', 'after it was declared lost'];

describeInFull('a client that loses power while it runs a transaction and jobs', () => {
  let cluster: Cluster | undefined;

  afterEach(async () => {
    await cluster?.down();
    cluster = undefined;
  });

  test.each(REBOOTS)(
    'if the client boots %s, the transaction leaves no trace, and only the restartable job runs again',
    async (when) => {
      const isLost = when !== 'immediately';
      const sleeps = ['min_sleep=0.2', 'max_sleep=1'];
      const used = await Cluster.up({
        clients: 3,
        configure: isLost ? [`lost_after=${LOST_AFTER_S}`, ...sleeps] : sleeps,
      });
      cluster = used;
      const [restartable = 0, other = 0] = await used.submit('n1', [
        { seconds: 0, status: 3, restartable: true, gate: GATE, runner: 'n1' },
        { seconds: 0, status: 4, gate: GATE, runner: 'n1' },
      ]);
      await used.feed('n1', 3);
      for (const jid of [restartable, other]) await used.waitForStarts(jid);
      await used.beginLongTransaction('n1');
      // With a journal on the disk of the server, the transaction is about to change the database.
      await used.waitForServer('[ -s $q/db-journal ]');
      await used.powerOff('n1');
      await used.feed('n2');
      await used.feed('n3');
      await used.submit('n2', variedJobs(JOBS));
      const submitter = await used.keepSubmitting('n3', variedJobs(4));
      await waitFor(async () => (await used.jobRecords()).length > 2 + JOBS / 2, WAIT_MS);
      if (isLost) await waitFor(async () => (await used.stored()).jobs.some(({ state }) => state === 'dead'), WAIT_MS);
      await used.powerOn('n1');
      await used.lab.output('n1', `touch ${GATE}`);
      await used.feed('n1');
      expect(await submitter.stop()).toEqual([]);
      const permitted = { rebooted: ['n1'], lost: isLost ? ['n1'] : [] };
      expect(await used.finish(`client loses power, boots ${when}`, permitted)).toEqual([]);
      const { jobs } = await used.stored();
      expect(jobs.filter(({ state }) => state === 'dead').map(({ jid }) => jid)).toEqual([other]);
      expect(jobs.find(({ jid }) => jid === restartable)).toMatchObject({
        state: 'finished',
        attempt: 2,
        exit_status: 3,
      });
    },
  );
});

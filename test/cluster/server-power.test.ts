import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { Cluster } from './support/cluster.ts';
import { variedJobs } from './support/job-records.ts';
import { describeCluster, isFull } from './support/scenario.ts';

const JOBS = isFull ? 60 : 12;
/** Much shorter than the longer outage, in which a host could be declared lost. */
const LOST_AFTER_S = 10;
const OUTAGES_S = isFull ? [5, 60] : [5];
const RECORDED = 6;

describeCluster('a power cut of the server while three hosts feed and submit', () => {
  let cluster: Cluster | undefined;

  afterEach(async () => {
    await cluster?.down();
    cluster = undefined;
  });

  test.each(OUTAGES_S)(
    'during %d s without power, all hosts wait, no host is declared lost, and every job gets its real exit status',
    async (seconds) => {
      const used = await Cluster.up({ clients: 3, configure: [`lost_after=${LOST_AFTER_S}`, 'max_sleep=1'] });
      cluster = used;
      await used.submit('n1', variedJobs(JOBS));
      await used.feedAll();
      const submitter = await used.keepSubmitting('n2', variedJobs(4));
      await waitFor(async () => (await used.jobRecords()).length >= RECORDED, 120_000);
      await used.lab.kill('server');
      const cutMs = performance.now();
      await waitFor(() => performance.now() - cutMs >= seconds * 1000, 120_000);
      await used.lab.boot('server');
      const since = (await used.jobRecords()).length;
      await waitFor(async () => (await used.jobRecords()).length > since, 120_000);
      const refusals = await submitter.stop();
      expect({ mistakes: await used.finish(`server without power for ${seconds} s`), refusals }).toMatchObject({
        mistakes: [],
      });
      // A call ends after its --lock-timeout of 60 s. Then its jobs do not exist, or its message says that they may.
      for (const refusal of refusals) expect(refusal).toMatch(/try again|cannot determine whether|submitted \d/);
      if (seconds < 30) expect(refusals).toEqual([]);
      expect(await used.feederOutput()).not.toMatch(/heartbeat failed|sent no heartbeat/);
    },
  );
});

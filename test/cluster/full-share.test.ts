import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { Cluster } from './support/cluster.ts';
import { variedJobs } from './support/job-records.ts';
import { describeInFull } from './support/scenario.ts';

const JOBS = 60;
const WAIT_MS = 120_000;
const FILL = '/srv/disk/fill';

describeInFull('a share that fills up while three hosts feed and submit', () => {
  let cluster: Cluster | undefined;

  afterEach(async () => {
    await cluster?.down();
    cluster = undefined;
  });

  test('errors are clear, no accepted job is lost, and all hosts continue when there is space again', async () => {
    const used = await Cluster.up({ clients: 3, disk: '64M', records: 'local' });
    cluster = used;
    await used.submit('n1', variedJobs(JOBS));
    await used.feedAll();
    const submitter = await used.keepSubmitting('n2', variedJobs(4));
    await waitFor(async () => (await used.jobRecords()).length > JOBS / 4, WAIT_MS);
    // In smaller and smaller pieces, until no block is left.
    const fill = `for size in 1M 64k 4k; do dd if=/dev/zero bs=$size 2>&1 >>${FILL}; done; sync; true`;
    await used.lab.output('server', fill);
    await submitter.waitForMessage('is full');
    await used.waitForFeederOutput('is full');
    await used.lab.output('server', `rm ${FILL}`);
    const refusals = await submitter.stop();
    expect(await used.finish('the share is full for some time')).toEqual([]);
    expect(refusals).not.toEqual([]);
    for (const refusal of refusals) expect(refusal).toMatch(/is full|cannot determine whether/);
    expect((await used.stored()).jobs.filter(({ state }) => state !== 'finished')).toEqual([]);
  });
});

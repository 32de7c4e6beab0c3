import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { Cluster } from './support/cluster.ts';
import { variedJobs } from './support/job-records.ts';
import { describeInFull } from './support/scenario.ts';

const JOBS = 60;
const WAIT_MS = 120_000;
const FILL = '/srv/disk/fill';

describeInFull('The share fills up while three hosts feed and submit', () => {
  let cluster: Cluster | undefined;

  afterEach(async () => {
    await cluster?.down();
    cluster = undefined;
  });

  test('What is refused says so, nothing that was accepted is lost, and all go on when there is room', async () => {
    const used = await Cluster.up({ clients: 3, disk: '64M', records: 'local' });
    cluster = used;
    await used.submit('n1', variedJobs(JOBS));
    await used.feedAll();
    const submitter = await used.keepSubmitting('n2', variedJobs(4));
    await waitFor(async () => (await used.jobRecords()).length > JOBS / 4, WAIT_MS);
    // In ever smaller pieces, until not one block is left.
    const fill = `for size in 1M 64k 4k; do dd if=/dev/zero bs=$size 2>&1 >>${FILL}; done; sync; true`;
    await used.lab.output('server', fill);
    await submitter.waitForMessage('is full');
    await used.waitForFeederOutput('is full');
    await used.lab.output('server', `rm ${FILL}`);
    const refusals = await submitter.stop();
    expect(await used.close('the share is full for a while')).toEqual([]);
    expect(refusals).not.toEqual([]);
    for (const refusal of refusals) expect(refusal).toMatch(/is full|cannot tell whether/);
    expect((await used.stored()).jobs.filter(({ state }) => state !== 'finished')).toEqual([]);
  });
});

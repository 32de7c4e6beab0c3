import { afterEach, expect, test } from 'vitest';
import { Cluster, type ClusterOptions } from './support/cluster.ts';
import { variedJobs } from './support/job-records.ts';
import { Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { describeInFull, print } from './support/scenario.ts';

const JOBS = 900;
/** The jobs of one submit: its command line has a maximum length. */
const CALL = 300;
const NO_LOCKS = 'vers=3,nolock,hard';

describeInFull('a queue drained by three hosts', () => {
  let cluster: Cluster | undefined;
  let lab: Lab | undefined;

  afterEach(async () => {
    await cluster?.down();
    await lab?.down();
    cluster = undefined;
    lab = undefined;
  });

  /** Checks that every job runs once, and that each host runs some. */
  async function drain(how: string, options: Omit<ClusterOptions, 'clients'>): Promise<void> {
    const used = await Cluster.up({ clients: 3, records: 'local', ...options });
    cluster = used;
    for (let left = JOBS; left > 0; left -= CALL) await used.submit('n2', variedJobs(Math.min(left, CALL), [0]));
    const startMs = performance.now();
    await used.feedAll();
    await used.waitUntilDrained();
    const seconds = (performance.now() - startMs) / 1000;
    expect(await used.finish(how)).toEqual([]);
    const records = await used.jobRecords();
    const taken = used.lab.clients.map((client) => records.filter(({ host }) => host === client).length);
    print(`${JOBS} jobs in ${seconds.toFixed(0)} s: ${taken.join(', ')}`);
    expect(Math.min(...taken)).toBeGreaterThan(0);
    expect(records).toHaveLength(JOBS);
  }

  test('every job runs once over NFS 4.2', async () => {
    await drain('NFS 4.2', {});
  });

  test('every job runs once over NFS 3 with lockd', async () => {
    await drain('NFS 3 with locks', { mountOptions: 'vers=3,hard' });
  });

  test('every job runs once on a mount without locks if the queue was created with --locking lease', async () => {
    await drain('NFS 3 without locks', { mountOptions: NO_LOCKS, create: ['--locking', 'lease'] });
  });

  test('create and feed refuse a mount without locks unless --locking lease is specified', async () => {
    lab = await Lab.up({ clients: 1, mountOptions: NO_LOCKS });
    const refused = await lab.run('n1', shellCommand(program, `${SHARE}/q`, 'create'));
    expect(refused.status).toBe(1);
    expect(refused.output).toMatch(/mounted with nolock; mount it without nolock, or as NFS 4; .* --locking lease/);
    // On the server, the disk is local and has locks.
    await lab.output('server', shellCommand(program, '/srv/disk/q/posix', 'create'));
    const unfed = await lab.run('n1', shellCommand(program, `${SHARE}/posix`, 'feed', '--until-empty'));
    expect(unfed.status).toBe(1);
    expect(unfed.output).toMatch(/cannot feed .* mounted with nolock; mount it without nolock, .* --locking lease/);
  });
});

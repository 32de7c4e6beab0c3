import { afterEach, expect, test } from 'vitest';
import { type Client, Lab, type LabOptions, SHARE } from './support/lab.ts';
import { checkout, program, shellCommand } from './support/program.ts';
import { describeCluster, isFull, tell } from './support/scenario.ts';

const JOBS = isFull ? 2_000 : 200;
const QUEUE = `${SHARE}/q`;
const DRAIN_MS = 500_000;

describeCluster('A queue that three hosts drain', () => {
  let lab: Lab | undefined;

  afterEach(async () => {
    await lab?.down();
    lab = undefined;
  });

  async function up(options: Omit<LabOptions, 'clients'> = {}): Promise<Lab> {
    lab = await Lab.up({ clients: 3, ...options });
    return lab;
  }

  test('Over NFS version 4.2 every job runs once, and each host takes some', async () => {
    const used = await up();
    await used.output('n1', rq('create'));
    await drain(used);
  });

  test('Without locks between hosts it must be made for that, and then every job runs once', async () => {
    const used = await up({ mountOptions: 'vers=3,nolock,hard' });
    const refused = await used.run('n1', rq('create'));
    expect(refused.status).toBe(1);
    expect(refused.output).toMatch(/mounted with nolock; mount it without, or as NFS version 4; .* --locking lease/);
    // The server has the locks of its own disk.
    await used.output('server', shellCommand(program, '/srv/disk/q/posix', 'create'));
    const unfed = await used.run('n1', shellCommand(program, `${SHARE}/posix`, 'feed', '--until-empty'));
    expect(unfed.status).toBe(1);
    expect(unfed.output).toMatch(/cannot feed .* mounted with nolock; mount it without, .* --locking lease/);
    await used.output('n1', rq('create', '--locking', 'lease'));
    await drain(used);
  });
});

function rq(...words: string[]): string {
  return shellCommand(program, QUEUE, ...words);
}

/** Submits jobs, has every host feed until there are none, and asserts that each ran once and is finished. */
async function drain(lab: Lab): Promise<void> {
  // Appending is not atomic on NFS, so each host has a file of its own.
  const commands = `yes 'echo $RQ_JID >>/tmp/ran' | head -n ${JOBS}`;
  await lab.output('n2', `${commands} | ${rq('submit', '--quiet', '--cwd', '/tmp', '-')}`);
  const startMs = performance.now();
  const feeders = await Promise.all(
    lab.clients.map((client) => lab.start(client, rq('feed', '--until-empty', '--max_feed', '2'))),
  );
  for (const feeder of feeders) expect(await feeder.ended({ timeoutMs: DRAIN_MS })).toBe(0);
  const seconds = (performance.now() - startMs) / 1000;
  const ran = await Promise.all(lab.clients.map((client) => jidsRun(lab, client)));
  tell(`${JOBS} jobs in ${seconds.toFixed(0)} s: ${ran.map((jids) => jids.length).join(', ')}`);
  for (const jids of ran) expect(jids.length).toBeGreaterThan(0);
  const expected = Array.from({ length: JOBS }, (_, index) => index + 1);
  expect(ran.flat().sort((one, other) => one - other)).toEqual(expected);
  const { jobs } = JSON.parse(await lab.output('n1', rq('status', '--json'))) as { jobs: Record<string, number> };
  expect(jobs).toMatchObject({ finished: JOBS, total: JOBS });
  expect(await integrity(lab)).toBe('ok');
}

async function jidsRun(lab: Lab, client: Client): Promise<number[]> {
  return (await lab.output(client, 'touch /tmp/ran; cat /tmp/ran')).split('\n').filter(Boolean).map(Number);
}

async function integrity(lab: Lab): Promise<string> {
  const check = `const database = new (require('better-sqlite3'))(process.argv[1], { readonly: true });
    process.stdout.write(database.pragma('integrity_check', { simple: true }));`;
  return await lab.output('n3', `cd ${shellCommand(checkout)} && ${shellCommand('node', '-e', check, `${QUEUE}/db`)}`);
}

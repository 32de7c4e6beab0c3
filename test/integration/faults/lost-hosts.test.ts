import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { SILENT } from '../../support/reasons.ts';
import { waitFor } from '../../support/wait-for.ts';

const LOST_AFTER_S = 10;

type Feeder = ReturnType<Workbench['start']>;

/** A queue with two hosts: h1 gets lost, and h2 can only run the restartable jobs of h1. */
class Cluster {
  readonly bench = new Workbench();
  /** The jobs wait until this file exists. */
  readonly gate = join(this.bench.directory, 'gate');

  async create(): Promise<void> {
    await this.bench.must(['QUEUE', 'create']);
    await this.bench.must(['QUEUE', 'configure', `lost_after=${LOST_AFTER_S}`, 'max_sleep=1', 'min_sleep=0.2']);
  }

  feed(host: string): Feeder {
    return this.bench.start(['QUEUE', 'feed', '--max_feed=4'], { environment: { RQ_HOST: host } });
  }

  /** Submits a job that records each of its attempts, waits for the gate and exits with 7. */
  async submit(...options: string[]): Promise<void> {
    const command = `echo $$ >started.$RQ_JID.$RQ_ATTEMPT; while [ ! -e gate ]; do sleep 0.1; done; exit 7`;
    await this.bench.must(['QUEUE', 'submit', '-q', ...options, command]);
  }

  hasStarted(jid: number, attempt: number): boolean {
    return existsSync(this.mark(jid, attempt));
  }

  isRunning(jid: number, attempt: number): boolean {
    return this.bench.processes().includes(Number(readFileSync(this.mark(jid, attempt), 'utf8')));
  }

  async nodes(): Promise<Record<string, unknown>[]> {
    return JSON.parse(await this.bench.must(['QUEUE', 'nodes', '--json'])) as Record<string, unknown>[];
  }

  heartbeat(host: string): number {
    return statSync(join(this.bench.queue, 'nodes', host)).mtimeMs;
  }

  async end(feeders: readonly Feeder[]): Promise<void> {
    for (const { child } of feeders) child.kill('SIGTERM');
    for (const { ended } of feeders) expect((await ended).status).toBe(0);
    expect(readdirSync(join(this.bench.queue, 'nodes'))).toEqual([]);
  }

  private mark(jid: number, attempt: number): string {
    return join(this.bench.directory, `started.${jid}.${attempt}`);
  }
}

/** Creates a cluster whose h1 runs a restartable job (1) and another one (2), and is silent until it is declared lost. */
async function clusterWithLost(
  silence: (h1: Feeder) => Promise<void>,
): Promise<{ cluster: Cluster; h1: Feeder; h2: Feeder }> {
  const cluster = new Cluster();
  await cluster.create();
  await cluster.submit('--restartable');
  await cluster.submit('--runner=h1');
  const h1 = cluster.feed('h1');
  await waitFor(() => cluster.hasStarted(1, 1) && cluster.hasStarted(2, 1));
  const h2 = cluster.feed('h2');
  await silence(h1);
  await waitFor(async () => (await cluster.bench.jobs('dead')).length === 1, 60_000);
  await waitFor(() => cluster.hasStarted(1, 2));
  const jobs = await cluster.bench.jobs();
  expect(jobs).toMatchObject([
    { jid: 1, state: 'running', runner: 'h2', attempt: 2 },
    {
      jid: 2,
      state: 'dead',
      runner: 'h1',
      attempt: 1,
    },
  ]);
  expect(SILENT.exec(String(jobs[1]?.['reason']))?.[1]).toBe('h1');
  expect(await cluster.nodes()).toMatchObject([
    { host: 'h1', state: 'lost', running: 0 },
    { host: 'h2', state: 'feeding', running: 1, slots: 4 },
  ]);
  // Its attempts still run, since no other host can kill them.
  expect([cluster.isRunning(1, 1), cluster.isRunning(2, 1)]).toEqual([true, true]);
  return { cluster, h1, h2 };
}

/** After h1 returns, its attempt of the job that h2 claimed is killed. The other one continues, and its result is recorded. */
async function expectReturn(cluster: Cluster, feeders: readonly Feeder[]): Promise<void> {
  await waitFor(() => !cluster.isRunning(1, 1));
  expect([cluster.isRunning(1, 2), cluster.isRunning(2, 1)]).toEqual([true, true]);
  expect(await cluster.nodes()).toMatchObject([
    { host: 'h1', state: 'feeding' },
    { host: 'h2', state: 'feeding' },
  ]);
  writeFileSync(cluster.gate, '');
  await waitFor(async () => (await cluster.bench.jobs('finished')).length === 2);
  expect(await cluster.bench.jobs()).toMatchObject([
    { jid: 1, state: 'finished', exit_status: 7, runner: 'h2', attempt: 2 },
    { jid: 2, state: 'finished', exit_status: 7, runner: 'h1', attempt: 1 },
  ]);
  await cluster.end(feeders);
}

describe('a host that sends no heartbeat', () => {
  test('is declared lost; its next feeder kills stale attempts, and other attempts get their real results', async () => {
    const { cluster, h2 } = await clusterWithLost(async ({ child, ended }) => {
      child.kill('SIGKILL');
      await ended;
    });
    await expectReturn(cluster, [cluster.feed('h1'), h2]);
  });

  test('is declared lost; a feeder that was only frozen kills its stale attempts itself', async () => {
    const { cluster, h1, h2 } = await clusterWithLost(async ({ child }) => {
      child.kill('SIGSTOP');
    });
    h1.child.kill('SIGCONT');
    await expectReturn(cluster, [h1, h2]);
  });

  test('kills its stale attempts also if the observer could not rename its file in nodes/', async () => {
    const { cluster, h1, h2 } = await clusterWithLost(async ({ child }) => {
      child.kill('SIGSTOP');
    });
    const file = join(cluster.bench.queue, 'nodes', 'h1');
    renameSync(`${file}~lost`, file);
    h1.child.kill('SIGCONT');
    await expectReturn(cluster, [h1, h2]);
  });
});

test('an attempt does not start on a host before the earlier attempt of its job has ended there', async () => {
  const cluster = new Cluster();
  await cluster.create();
  const command = `trap '' TERM; echo $$ >started.$RQ_JID.$RQ_ATTEMPT; while [ ! -e gate ]; do sleep 0.1; done; exit 7`;
  await cluster.bench.must(['QUEUE', 'submit', '-q', '--restartable', '--runner=h1', command]);
  const h1 = cluster.feed('h1');
  await waitFor(() => cluster.hasStarted(1, 1));
  const h2 = cluster.feed('h2');
  h1.child.kill('SIGKILL');
  await h1.ended;
  await waitFor(async () => (await cluster.bench.jobs('pending')).length === 1, 60_000);
  const again = cluster.feed('h1');
  await waitFor(() => cluster.hasStarted(1, 2), 60_000);
  expect(cluster.isRunning(1, 1)).toBe(false);
  writeFileSync(cluster.gate, '');
  await waitFor(async () => (await cluster.bench.jobs('finished')).length === 1);
  expect(await cluster.bench.jobs()).toMatchObject([{ exit_status: 7, attempt: 2, runner: 'h1' }]);
  await cluster.end([again, h2]);
});

test('a feeder that was itself frozen for longer than lost_after declares no host lost', async () => {
  const cluster = new Cluster();
  await cluster.create();
  await cluster.submit('--runner=h1');
  const h1 = cluster.feed('h1');
  await waitFor(() => cluster.hasStarted(1, 1));
  const h2 = cluster.feed('h2');
  await waitFor(() => existsSync(join(cluster.bench.queue, 'nodes', 'h2')));
  const before = cluster.heartbeat('h1');
  h2.child.kill('SIGSTOP');
  h1.child.kill('SIGSTOP');
  const frozenMs = performance.now();
  await waitFor(() => performance.now() - frozenMs > (LOST_AFTER_S + 2) * 1000);
  expect(cluster.heartbeat('h1')).toBe(before);
  h2.child.kill('SIGCONT');
  // It checks h1 before its second heartbeat.
  const thawed = cluster.heartbeat('h2');
  await waitFor(() => cluster.heartbeat('h2') > thawed);
  const next = cluster.heartbeat('h2');
  await waitFor(() => cluster.heartbeat('h2') > next);
  h1.child.kill('SIGCONT');
  await waitFor(() => cluster.heartbeat('h1') > before);
  expect(await cluster.bench.jobs()).toMatchObject([{ state: 'running', attempt: 1 }]);
  writeFileSync(cluster.gate, '');
  await waitFor(async () => (await cluster.bench.jobs('finished')).length === 1);
  await cluster.end([h1, h2]);
});

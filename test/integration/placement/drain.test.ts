import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { Hosts } from '../../support/hosts.ts';
import { Workbench } from '../../support/program.ts';
import { recorded, recordsIn } from '../../support/run-records.ts';
import { waitFor } from '../../support/wait-for.ts';

const FAST = ['--min_sleep=0.1', '--max_sleep=0.3'];
const WAIT_FOR_FILE = 'until [ -e go ]; do sleep 0.1; done; true';
/** A host on which no feeder runs. */
const DESK = { environment: { RQ_HOST: 'desk' } };

let bench: Workbench;
let hosts: Hosts;

beforeEach(async () => {
  bench = new Workbench();
  hosts = new Hosts(bench, [...FAST, '--max_feed=2']);
  await bench.must(['QUEUE', 'create']);
});

async function nodes(...words: string[]): Promise<Record<string, unknown>[]> {
  return JSON.parse(await bench.must(['QUEUE', 'nodes', '--json', ...words])) as Record<string, unknown>[];
}

async function running(): Promise<number> {
  return (await bench.jobs('running')).filter(({ pid }) => Number(pid) > 0).length;
}

test('a host that is drained from another host finishes its jobs and starts no others, until it is undrained', async () => {
  await hosts.start('a', 'b');
  await bench.must(['QUEUE', 'submit', '-q', '--runner=a', WAIT_FOR_FILE]);
  await waitFor(async () => (await running()) === 1);
  const drained = JSON.parse(
    await bench.must(['QUEUE', 'drain', 'a', '--reason', 'new disk', '--json'], DESK),
  ) as unknown;
  const facts = {
    host: 'a',
    drained: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    drained_by: expect.stringMatching(/^\S+ on desk$/) as string,
    reason: 'new disk',
    running: 1,
  };
  expect(drained).toEqual([facts]);
  expect(await nodes()).toMatchObject([
    { ...facts, state: 'feeding' },
    { host: 'b', state: 'feeding', running: 0 },
  ]);
  expect((await nodes())[1]).not.toHaveProperty('drained');
  expect(JSON.parse(await bench.must(['QUEUE', 'status', '--json']))).toMatchObject({ nodes: [facts, { host: 'b' }] });

  await bench.must(['QUEUE', 'submit', '-q', '--runner=a', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: `${recorded(':')}\n`.repeat(30) });
  await waitFor(async () => (await bench.counts())['finished'] === 30);
  expect(new Set(recordsIn(bench).map(({ host }) => host))).toEqual(new Set(['b']));
  expect(await bench.jobs('1', '2')).toMatchObject([{ state: 'running' }, { state: 'pending' }]);
  writeFileSync(join(bench.directory, 'go'), '');
  await waitFor(async () => (await bench.jobs('1'))[0]?.['state'] === 'finished');
  expect(await bench.jobs('1', '2')).toMatchObject([{ exit_status: 0, runner: 'a' }, { state: 'pending' }]);

  expect(await bench.must(['QUEUE', 'undrain', 'a'], DESK)).toBe('---\n-\n  host: a\n  running: 0\n');
  await waitFor(async () => (await bench.jobs('2'))[0]?.['state'] === 'finished');
  const [log] = await hosts.shutDown();
  expect(log?.stderr.match(/this host is drained/g)).toHaveLength(1);
  expect(log?.stderr.match(/no longer drained/g)).toHaveLength(1);
  expect(log?.stderr).toContain('new disk');
});

test('a drained host releases the jobs that it has claimed ahead, also with --kill, and each job runs once', async () => {
  const count = 1_500;
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: `${recorded(':')}\n`.repeat(count) });
  await hosts.start('a');
  // Short jobs are claimed ahead of free slots.
  await waitFor(async () => ((await bench.counts())['running'] ?? 0) > 4);
  await bench.must(['QUEUE', 'drain', 'a', '--kill'], DESK);
  const { pending, finished, running: left, dead } = await bench.counts();
  expect([left, dead]).toEqual([0, 0]);
  expect(pending).toBeGreaterThan(0);
  expect(Number(pending) + Number(finished)).toBe(count);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST], { environment: { RQ_HOST: 'b' } });
  await hosts.shutDown();
  const starts = recordsIn(bench).filter(({ kind }) => kind === 'start');
  expect(new Set(starts.map(({ jid }) => jid)).size).toBe(starts.length);
  // The two jobs that were running may have been killed before they recorded that.
  expect(starts.length).toBeGreaterThanOrEqual(count - 2);
  expect(await bench.counts()).toMatchObject({ finished: count });
  expect(new Set((await bench.jobs()).map(({ attempt }) => attempt))).toEqual(new Set([1]));
}, 120_000);

test('a feeder that is killed or started again stays drained, and ends at once with --until-empty', async () => {
  const environment = { RQ_HOST: 'a' };
  expect((await bench.run(['QUEUE', 'drain', 'a'], DESK)).status).toBe(0);
  expect(await nodes()).toMatchObject([{ host: 'a', state: 'absent', running: 0 }]);
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  const once = await bench.run(['QUEUE', 'feed', '--until-empty', ...FAST], { environment });
  expect([once.status, once.stderr]).toEqual([0, expect.stringContaining('this host is drained')]);
  await bench.must(['QUEUE', 'start', ...FAST], { environment });
  await bench.must(['QUEUE', 'submit', '-q', '--runner=b', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST], { environment: { RQ_HOST: 'b' } });
  expect((await bench.jobs()).map(({ runner }) => runner)).toEqual(['b', 'b']);
  const { pid } = JSON.parse(await bench.must(['QUEUE', 'pid', '--json'], { environment })) as { pid: number };
  process.kill(pid, 'SIGKILL');
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await waitFor(async () => (await bench.run(['QUEUE', 'pid'], { environment })).status === 1);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST], { environment });
  expect((await bench.jobs('3'))[0]).toMatchObject({ state: 'pending' });
  await bench.must(['QUEUE', 'undrain', 'a']);
  expect(await nodes()).toEqual([]);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST], { environment });
  expect((await bench.jobs('3'))[0]).toMatchObject({ state: 'finished', runner: 'a' });
});

test('drain --kill ends the jobs of the host, waits for that, and leaves those of other hosts', async () => {
  await hosts.start('a', 'b');
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', '--runner=a', WAIT_FOR_FILE]);
  await bench.must(['QUEUE', 'submit', '-q', '--runner=a', WAIT_FOR_FILE]);
  await bench.must(['QUEUE', 'submit', '-q', '--runner=b', WAIT_FOR_FILE]);
  await bench.must(['QUEUE', 'submit', '-q', '--runner=a', 'true']);
  await waitFor(async () => (await running()) === 3);
  const words = ['QUEUE', 'drain', 'a', '--kill', '--reason', 'smoke', '--plain', '-f', 'host,running,reason'];
  expect(await bench.must(words, DESK)).toBe('a\t0\tsmoke\n');
  const killed = {
    state: 'finished',
    signal: 'SIGTERM',
    reason: expect.stringMatching(/^killed by \S+ on desk: drain of a: smoke$/) as string,
  };
  expect(await bench.jobs()).toMatchObject([killed, killed, { state: 'running' }, { state: 'pending' }]);
  writeFileSync(join(bench.directory, 'go'), '');
  await waitFor(async () => (await bench.jobs('3'))[0]?.['state'] === 'finished');
  expect((await bench.jobs('3'))[0]).toMatchObject({ exit_status: 0 });
  await bench.must(['QUEUE', 'undrain', 'a'], DESK);
  await waitFor(async () => (await bench.jobs('4'))[0]?.['state'] === 'finished');
  await hosts.shutDown();
});

test('a failed start counts a drained host as one that cannot run the job', async () => {
  await hosts.start('a', 'b');
  await bench.must(['QUEUE', 'drain', 'b']);
  await bench.must(['QUEUE', 'submit', '-q', '--cwd=/nonexistent', 'true']);
  const failures = async (): Promise<unknown> => {
    const rows = JSON.parse(await bench.must(['QUEUE', 'execute', '--json', 'SELECT failed_starts FROM jobs'])) as {
      failed_starts: string | null;
    }[];
    return rows[0]?.failed_starts;
  };
  const text = String(await waitFor(failures));
  const { a } = JSON.parse(text) as { a: { first: string; until: string } };
  // No other host can try it, so that this host soon tries again.
  expect(Date.parse(a.until) - Date.parse(a.first)).toBeLessThanOrEqual(31_000);
  await hosts.shutDown();
});

test('a wait says that all hosts are drained', async () => {
  await hosts.start('a');
  await bench.must(['QUEUE', 'drain', 'a'], DESK);
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  const { status, stderr } = await bench.run(['QUEUE', 'wait', '1', '--timeout=0.5']);
  expect(status).toBe(124);
  expect(stderr).toMatch(/all hosts that feed from .* are drained, so no job starts; see: rq .* nodes/);
  await hosts.shutDown();
});

test('drain accepts a short name and each host once, keeps the first reason, and warns of an unknown host', async () => {
  await hosts.start('n1.example.org', 'n2.example.org');
  const drained = await bench.run(['QUEUE', 'drain', 'n1', 'n1.example.org', 'nn', '--reason=first', '--plain'], DESK);
  expect([drained.status, drained.stdout]).toEqual([0, 'n1.example.org\nnn\n']);
  expect(drained.stderr).toBe(
    'rq: drain: no feeder runs on nn; it is drained when it starts to feed; check the name\n',
  );
  const reasons = async (): Promise<unknown[]> => (await nodes()).map(({ host, reason }) => [host, reason]);
  await bench.must(['QUEUE', 'drain', 'n1']);
  expect(await reasons()).toEqual([
    ['n1.example.org', 'first'],
    ['n2.example.org', undefined],
    ['nn', 'first'],
  ]);
  await bench.must(['QUEUE', 'drain', 'n1', '--reason=second']);
  expect((await reasons())[0]).toEqual(['n1.example.org', 'second']);
  const undrained = await bench.run(['QUEUE', 'undrain', 'n1', 'n2', 'nn', '--plain']);
  expect([undrained.status, undrained.stdout]).toEqual([0, 'n1.example.org\nn2\nnn\n']);
  expect(undrained.stderr).toBe('rq: undrain: n2 is not drained; nothing was changed for it\n');
  expect(await reasons()).toEqual([
    ['n1.example.org', undefined],
    ['n2.example.org', undefined],
  ]);
  await hosts.shutDown();
});

test.each([
  [['drain'], /drain needs HOST…/],
  [['undrain'], /undrain needs HOST…/],
  [['drain', 'a/b'], /cannot drain "a\/b": the name of a host contains only letters/],
  [['drain', 'a', '../x'], /cannot drain "\.\.\/x"/],
  [['undrain', 'a b'], /cannot undrain "a b"/],
  [['drain', 'a', '--reason', 'x\ny'], /--reason must be one line/],
  [['drain', 'a', '--reason', 'x'.repeat(501)], /at most 500 characters/],
])('%j is refused and drains no host', async (words, message) => {
  const { status, stdout, stderr } = await bench.run(['QUEUE', ...words]);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^rq: .*\n$/);
  expect(await nodes()).toEqual([]);
});

import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gate, openGate, startLive } from '../../support/live.ts';
import { ROOT, Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** A user namespace in which no process can watch files. */
const WITHOUT_INOTIFY = ['unshare', '--user', '--map-root-user', 'sh', '-c'];
const NO_WATCHES = 'echo 0 >/proc/sys/user/max_inotify_instances && exec "$0" "$@"';
const CAN_UNSHARE = spawnSync('unshare', [...WITHOUT_INOTIFY.slice(1), NO_WATCHES, 'true']).status === 0;

/** A queue whose waiters poll so seldom that only the kernel can wake them in time. */
async function newBench(maxSleep = 3_600): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'configure', 'min_sleep=0.05', `max_sleep=${maxSleep}`]);
  return bench;
}

/** Whether a process watches files: a waiter does so before its first read. */
function watches(pid: number | undefined): boolean {
  const links = readdirSync(`/proc/${pid}/fd`).map((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return '';
    }
  });
  return links.includes('anon_inode:inotify');
}

const jidsIn = (yaml: string): number[] => [...yaml.matchAll(/^-\n {2}jid: (\d+)$/gm)].map(([, jid]) => Number(jid));

test('wait prints each job as it ends, and ends with the last one', async () => {
  const bench = await newBench();
  for (const name of ['a', 'b', 'c'])
    await bench.must(['QUEUE', 'submit', '-q', `${gate(bench, name)}; test ${name} != b`]);
  const feeder = bench.start(['QUEUE', 'feed', '--until-empty', '--max_feed=3']);
  await waitFor(async () => (await bench.jobs('running')).length === 3);
  const waiter = startLive(bench, ['wait', 'all']);
  const any = startLive(bench, ['wait', '1-3', '--any', '--quiet']);
  await waitFor(() => watches(waiter.child.pid) && watches(any.child.pid));
  expect(waiter.stdout()).toBe('');
  openGate(bench, 'b');
  await waitFor(() => waiter.stdout().endsWith('\n'));
  expect(jidsIn(waiter.stdout())).toEqual([2]);
  expect(await any.ended).toMatchObject({ status: 1, stdout: '', stderr: '' });
  openGate(bench, 'a');
  await waitFor(() => jidsIn(waiter.stdout()).length === 2);
  openGate(bench, 'c');
  const { status, stdout, stderr } = await waiter.ended;
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  expect(jidsIn(stdout)).toEqual([2, 1, 3]);
  expect(stdout.match(/^---$/gm)).toHaveLength(1);
  await feeder.ended;
});

test('with --json, the ends of a wait are one JSON array', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', gate(bench, 'a')]);
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  const feeder = bench.start(['QUEUE', 'feed', '--until-empty', '--max_feed=2']);
  await waitFor(async () => (await bench.jobs('running')).length > 0);
  const waiter = startLive(bench, ['wait', '1,2', '--json', '--fields', 'jid']);
  await waitFor(() => waiter.stdout() === '[\n{"jid":2}');
  openGate(bench, 'a');
  expect((await waiter.ended).stdout).toBe('[\n{"jid":2},\n{"jid":1}\n]\n');
  await feeder.ended;
});

test('a wait acquires no lease and reads only after a change', async () => {
  const bench = await newBench(0.05);
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  const leases = (): string[] => readdirSync(bench.queue).filter((name) => name.startsWith('lease.'));
  const before = leases();
  const waited = await bench.run(['QUEUE', 'wait', '1', '--timeout', '4', '-v1'], {
    environment: { RQ_SQL_DEBUG: '1' },
  });
  expect(waited.status).toBe(124);
  expect(leases()).toEqual(before);
  // The settings, the first read, and another one when the attributes have been stable for two seconds.
  expect(waited.stderr.match(/sql: BEGIN\b/g)?.length).toBeLessThanOrEqual(5);
});

test('at the timeout, wait exits with 124 and prints the jobs that have ended', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', 'exit 200']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'wait', 'all', '--timeout', '0.5s']);
  expect({ status, jids: jidsIn(stdout) }).toEqual({ status: 124, jids: [1] });
  expect(stderr).toMatch(/rq: 1 of 2 jobs have not ended within 0\.5 s\n$/);
  const none = await bench.run(['QUEUE', 'wait', '2', '--timeout', '0', '-v1']);
  expect(none).toMatchObject({ status: 124, stdout: '--- []\n', stderr: '' });
});

test('wait says once that no host feeds from the queue, and continues', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  const waiter = startLive(bench, ['wait', '1', '--quiet']);
  await waitFor(() => waiter.stderr() !== '');
  await bench.must(['QUEUE', 'submit', '-q', '--priority=-1', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  const { status, stderr } = await waiter.ended;
  expect(status).toBe(0);
  expect(stderr).toMatch(/^rq: no host feeds from .*\/q, so no job starts; start a feeder with: rq .*\/q start\n$/);
});

test('a job that is deleted or rotated while rq waits counts as 126', async () => {
  const bench = await newBench();
  for (let count = 0; count < 4; count++) await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  const waiter = startLive(bench, ['wait', '1-3', '-v2']);
  await waitFor(() => waiter.stderr().includes('no host feeds'));
  await bench.must(['QUEUE', 'delete', '-q', '2']);
  await waitFor(() => waiter.stderr().includes('job 2 was deleted or rotated'));
  await bench.must(['QUEUE', 'delete', '-q', '1,3']);
  const { status, stdout, stderr } = await waiter.ended;
  expect({ status, stdout }).toEqual({ status: 126, stdout: '--- []\n' });
  expect(stderr).toMatch(/\nrq: jobs 1, 3 were deleted or rotated, so rq does not know the exit status\n$/);
});

test('if the queue is removed, wait exits with 3 and one line', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  const waiter = startLive(bench, ['wait', '1', '-v1']);
  await waitFor(() => watches(waiter.child.pid));
  rmSync(bench.queue, { recursive: true });
  const { status, stdout, stderr } = await waiter.ended;
  expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
  expect(stderr).toMatch(/^rq: cannot wait for jobs in .*\/q: the queue was moved or removed\n$/);
});

test('a job whose host is lost meanwhile ends the wait with 126', async () => {
  const bench = await newBench(1);
  await bench.must(['QUEUE', 'configure', 'lost_after=10']);
  await bench.must(['QUEUE', 'submit', '-q', '--runner=h1', 'sleep 1000']);
  bench.start(['QUEUE', 'feed'], { environment: { RQ_HOST: 'h1' } });
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  for (const pid of bench.processes()) process.kill(pid, 'SIGKILL');
  const other = bench.start(['QUEUE', 'feed'], { environment: { RQ_HOST: 'h2' } });
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'wait', '1']);
  expect({ status, stderr }).toEqual({ status: 126, stderr: '' });
  expect(stdout).toContain('  state: dead\n');
  other.child.kill('SIGTERM');
  await other.ended;
});

test('Ctrl-C ends a wait and has no effect on the jobs', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  const line = `${ROOT}bin/rq q wait 1 & until ls -l /proc/$!/fd | grep -q inotify; do sleep 0.05; done; kill -INT $!; wait $!`;
  // An interactive shell, because others start background programs with SIGINT ignored.
  const { status } = spawnSync('bash', ['--norc', '-ic', line], {
    cwd: bench.directory,
    env: bench.environment,
    timeout: 60_000,
  });
  expect(status).toBe(130);
  expect(await bench.jobs()).toMatchObject([{ jid: 1, state: 'holding' }]);
});

test.skipIf(!CAN_UNSHARE)(
  `where files cannot be watched, wait polls${CAN_UNSHARE ? '' : ' (skipped: unshare)'}`,
  async () => {
    const bench = await newBench(0.3);
    await bench.must(['QUEUE', 'submit', '-q', gate(bench, 'a')]);
    const feeder = bench.start(['QUEUE', 'feed', '--until-empty']);
    await waitFor(async () => (await bench.jobs('running')).length === 1);
    const waiter = startLive(bench, ['wait', '1'], { wrapper: [...WITHOUT_INOTIFY, NO_WATCHES] });
    openGate(bench, 'a');
    expect(await waiter.ended).toMatchObject({ status: 0, stderr: '' });
    await feeder.ended;
  },
);

test('on a terminal, a wait shows its progress until it ends', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', 'exit 1']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  const onTerminal = (line: string): string =>
    spawnSync('script', ['-qec', `${ROOT}bin/rq q wait ${line}`, '/dev/null'], {
      cwd: bench.directory,
      env: { ...bench.environment, TERM: 'xterm', NO_COLOR: '1' },
      encoding: 'utf8',
      timeout: 60_000,
    }).stdout;
  const bar = '\r[#####-----] 1 of 2 done, 1 failed, 0 running\u001b[K\r\u001b[K';
  const printed = onTerminal('all --timeout 0 -f jid');
  expect(printed).toContain(bar);
  expect(printed.indexOf('jid: 1')).toBeLessThan(printed.indexOf(bar));
  expect(onTerminal('all --timeout 0 -v2')).not.toContain('[#');
  expect(onTerminal('all --timeout 0 -f jid 2>/dev/null')).toBe('---\r\n-\r\n  jid: 1\r\n');
});

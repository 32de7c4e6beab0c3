import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CrashPoint } from '../../../src/job/crash-points.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** Creates a queue, and the environment in which the first process that reaches a crash point is killed. */
async function prepared(point: CrashPoint): Promise<{ bench: Workbench; crash: NodeJS.ProcessEnv }> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return { bench, crash: { RQ_CRASH_AT: `${point}:${join(bench.directory, 'crashed')}` } };
}

function hasCrashed(bench: Workbench): boolean {
  return existsSync(join(bench.directory, 'crashed'));
}

/** Appends the number of each attempt to a file. */
const JOB = 'echo $RQ_ATTEMPT >>attempts.$RQ_JID; sleep 0.2; exit 7';

function attemptsOf(bench: Workbench, jid: number): string[] {
  const path = join(bench.directory, `attempts.${jid}`);
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

/** Lists the temporary files that a killed process left in the queue. The next feeder removes them. */
function leftovers(bench: Workbench): string[] {
  const names = ['stdin', 'data', 'nodes'].flatMap((folder) => readdirSync(join(bench.queue, folder)));
  return names.filter((name) => name.startsWith('.'));
}

describe('delete killed', () => {
  const points: [CrashPoint, number][] = [
    ['transaction-executed', 2],
    ['jobs-deleted', 0],
  ];
  test.each(points)('at %s leaves %d of two jobs, and their jids are not reused', async (point, count) => {
    const { bench, crash } = await prepared(point);
    await bench.must(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'x' });
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    expect((await bench.run(['QUEUE', 'delete', 'all'], { environment: crash })).signal).toBe('SIGKILL');
    expect(await bench.jobs()).toHaveLength(count);
    await bench.must(['QUEUE', 'submit', '-q', 'cat']);
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    expect((await bench.jobs()).at(-1)).toMatchObject({ jid: 3, state: 'finished' });
    expect(bench.stdout(3)).toBe('');
  });
});

describe('a killed feeder', () => {
  const points: CrashPoint[] = [
    'claim-executed',
    'transaction-executed',
    'transaction-committed',
    'claim-committed',
    'job-sent',
    'job-started',
    'end-received',
    'end-committed',
  ];
  test.each(points)('at %s loses no job and no result, and starts no job twice', async (point) => {
    const { bench, crash } = await prepared(point);
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: `${JOB}\n`.repeat(6) });
    const feeder = await bench.run(['QUEUE', 'feed', '--max_feed=4', '--until-empty'], { environment: crash });
    expect([feeder.signal, hasCrashed(bench)]).toEqual(['SIGKILL', true]);
    if (point === 'claim-executed') expect(await bench.jobs('pending')).toHaveLength(6);
    await bench.must(['QUEUE', 'feed', '--max_feed=4', '--until-empty']);
    expect(await bench.jobs()).toMatchObject(Array(6).fill({ state: 'finished', exit_status: 7 }));
    for (let jid = 1; jid <= 6; jid++) expect(attemptsOf(bench, jid)).toHaveLength(1);
    expect(leftovers(bench)).toEqual([]);
  });
});

describe('a killed runner', () => {
  // At the first point, the attempt provably did not start: any job is claimed again, and keeps its attempt number.
  const points: CrashPoint[] = ['attempt-journaled', 'attempt-forked', 'exit-seen', 'exit-journaled'];
  test.each(points)('at %s: each job has its real end', async (point) => {
    const { bench, crash } = await prepared(point);
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: `${JOB}\n`.repeat(3) });
    await bench.must(['QUEUE', 'feed', '--max_feed=1', '--until-empty'], { environment: crash });
    expect(hasCrashed(bench)).toBe(true);
    expect(await bench.jobs()).toMatchObject([
      { state: 'finished', exit_status: 7, attempt: 1 },
      ...Array(2).fill({ state: 'finished', exit_status: 7 }),
    ]);
    expect([1, 2, 3].map((jid) => attemptsOf(bench, jid).length)).toEqual([1, 1, 1]);
  });

  test.each(points)('at %s: a restartable job has the result of its last attempt', async (point) => {
    const { bench, crash } = await prepared(point);
    await bench.must(['QUEUE', 'submit', '-q', '--restartable', JOB]);
    await bench.must(['QUEUE', 'feed', '--max_feed=1', '--until-empty'], { environment: crash });
    expect(await bench.jobs()).toMatchObject([{ state: 'finished', exit_status: 7, attempt: 1 }]);
    expect(attemptsOf(bench, 1)).toEqual(['1']);
  });
});

test('a job of a killed starter continues and is dead when it ends, or gets another attempt if it is restartable', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const command = 'echo $RQ_ATTEMPT >>attempts.$RQ_JID; until [ -e go ]; do sleep 0.05; done; exit 7';
  await bench.must(['QUEUE', 'submit', '-q', command]);
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', command]);
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2', '--until-empty', '--max_sleep=0.2']);
  await waitFor(() => attemptsOf(bench, 1).length + attemptsOf(bench, 2).length === 2);
  const starters = bench.starters();
  for (const pid of starters) killQuietly(pid);
  await waitFor(() => bench.starters().some((pid) => !starters.includes(pid)));
  writeFileSync(join(bench.directory, 'go'), '');
  expect((await feeder.ended).status).toBe(0);
  expect(await bench.jobs()).toMatchObject([
    { state: 'dead', attempt: 1, reason: 'the starter was killed, so the exit status is unknown' },
    { state: 'finished', exit_status: 7, attempt: 2 },
  ]);
});

describe('rotate killed', () => {
  const points: [CrashPoint, number][] = [
    ['rotation-made', 3],
    ['rotation-filled', 3],
    ['rotation-committed', 0],
    ['rotation-placed', 0],
    ['rotation-files-removed', 0],
    ['rotation-finished', 0],
  ];
  test.each(points)('at %s: each job is in the queue or in one rotation', async (point, kept) => {
    const { bench, crash } = await prepared(point);
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'echo a\n'.repeat(3) });
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    expect((await bench.run(['QUEUE', 'rotate', 'first'], { environment: crash })).signal).toBe('SIGKILL');
    expect(await bench.jobs()).toHaveLength(kept);
    await bench.run(['QUEUE', 'rotate', 'second']);
    const names = readdirSync(bench.directory).filter((name) => /first|second|^\./.test(name));
    expect(names).toEqual([kept === 0 ? 'first' : 'second']);
    expect(await bench.jobs()).toEqual([]);
    const rotated = JSON.parse(
      await bench.must([join(bench.directory, names[0] ?? ''), 'list', '--json']),
    ) as unknown[];
    expect(rotated).toHaveLength(3);
    expect(readdirSync(join(bench.queue, 'stdout'))).toEqual([]);
  });
});

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended already.
  }
}

test('jobs of a rebooted host are dead, or get a new attempt if they are restartable', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const gate = join(bench.directory, 'gate');
  const command = `echo $RQ_ATTEMPT >>attempts.$RQ_JID; while [ ! -e ${gate} ]; do sleep 0.1; done; exit 7`;
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', command]);
  await bench.must(['QUEUE', 'submit', '-q', command]);
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2']);
  await waitFor(() => attemptsOf(bench, 1).length + attemptsOf(bench, 2).length === 2);
  const { runner } = JSON.parse(await bench.must(['QUEUE', 'feeder', '--json'])) as { runner: number };
  feeder.child.kill('SIGKILL');
  await feeder.ended;
  await reboot(bench, runner);
  writeFileSync(gate, '');
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(await bench.jobs()).toMatchObject([
    { state: 'finished', exit_status: 7, attempt: 2 },
    { state: 'dead', attempt: 1, reason: 'the host was rebooted' },
  ]);
  expect([attemptsOf(bench, 1), attemptsOf(bench, 2)]).toEqual([['1', '2'], ['1']]);
});

test('a result that was not reported before a reboot is reported after it', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const gate = join(bench.directory, 'gate');
  const command = `echo $RQ_ATTEMPT >>attempts.$RQ_JID; while [ ! -e ${gate} ]; do sleep 0.1; done; exit 7`;
  await bench.must(['QUEUE', 'submit', '-q', command]);
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', command]);
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2']);
  await waitFor(() => attemptsOf(bench, 1).length + attemptsOf(bench, 2).length === 2);
  const { runner } = JSON.parse(await bench.must(['QUEUE', 'feeder', '--json'])) as { runner: number };
  feeder.child.kill('SIGKILL');
  await feeder.ended;
  writeFileSync(gate, '');
  await waitFor(() => (readJournal(bench).match(/"type":"exit"/g) ?? []).length === 2);
  await reboot(bench, runner);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(await bench.jobs()).toMatchObject(Array(2).fill({ state: 'finished', exit_status: 7, attempt: 1 }));
  expect([attemptsOf(bench, 1), attemptsOf(bench, 2)]).toEqual([['1'], ['1']]);
});

/** Kills all processes, and gives the journal and the claimed rows another boot id, which they have after a reboot. */
async function reboot(bench: Workbench, runner: number): Promise<void> {
  // The runner first: it must not record the ends of the jobs.
  killQuietly(runner);
  await waitFor(() => {
    const processes = bench.processes();
    for (const pid of processes) killQuietly(pid);
    return processes.length === 0;
  });
  writeFileSync(journalOf(bench), readJournal(bench).replace(/"boot":"[^"]*"/, '"boot":"an-earlier-one"'));
  await bench.must(['QUEUE', 'execute', "UPDATE jobs SET boot = 'an-earlier-one' WHERE state = 'running'"]);
}

function readJournal(bench: Workbench): string {
  return readFileSync(journalOf(bench), 'utf8');
}

function journalOf(bench: Workbench): string {
  const root = bench.environment['RQ_RUNTIME_DIR'] ?? '';
  const directories = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return join(root, directories[0]?.name ?? '', 'journal');
}

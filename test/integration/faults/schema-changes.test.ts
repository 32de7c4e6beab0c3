import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection } from '../../../src/store/connection.ts';
import { SCHEMA_VERSION } from '../../../src/store/schema.ts';
import { ROOT, Workbench } from '../../support/program.ts';
import { newerProgram } from '../../support/protections.ts';
import { waitFor } from '../../support/wait-for.ts';

const NEWER = 99;
const WAITING = 'the installed program does not support the schema';
/** The job adds a line when it ends, so that a second execution is seen. */
const GATED = 'until [ -e go ]; do sleep 0.05; done; echo end >>ends';
const FEED = '--max_feed=1 --min_sleep=0.05 --max_sleep=0.2 --log=feeder.log --lock-timeout=5';

/** A queue with a job that runs and a pending one. */
async function runningBench(): Promise<Workbench> {
  const bench = new Workbench();
  await startFeeder(bench, 'rq');
  return bench;
}

async function startFeeder(bench: Workbench, rq: string): Promise<void> {
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'configure', 'lost_after=10']);
  await bench.must(['QUEUE', 'submit', '-q', GATED]);
  await bench.must(['QUEUE', 'submit', '-q', 'echo second']);
  countPrograms(bench);
  await bench.shell(`${rq} q start ${FEED}`);
  await waitFor(async () => (await bench.jobs('running'))[0]?.['pid'] !== undefined);
}

/** Copies a built program over the installed one. */
function install(from: string, to: string): void {
  for (const name of ['bin', 'dist', 'package.json']) cpSync(join(from, name), join(to, name), { recursive: true });
}

function setVersion(bench: Workbench, version: number): void {
  const connection = Connection.open(join(bench.queue, 'db'), { busyMs: 10_000 });
  connection.execute(`PRAGMA user_version = ${version}`);
  connection.close();
}

function log(bench: Workbench): string {
  return readFileSync(join(bench.directory, 'feeder.log'), 'utf8');
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

async function pidOf(bench: Workbench): Promise<number | undefined> {
  const { status, stdout } = await bench.run(['QUEUE', 'pid', '--json']);
  return status === 0 ? (JSON.parse(stdout) as { pid: number }).pid : undefined;
}

/** Has every Node process of the bench add its arguments to the file `programs`. */
function countPrograms(bench: Workbench): void {
  const [script, list] = ['count.cjs', 'programs'].map((name) => join(bench.directory, name));
  writeFileSync(
    String(script),
    `require('node:fs').appendFileSync(${JSON.stringify(list)}, process.argv.slice(2).join(' ') + '\\n');`,
  );
  bench.environment['NODE_OPTIONS'] = `--require=${script}`;
}

/** How many times the feeder asked the installed program. */
function timesAsked(bench: Workbench): number {
  return count(readFileSync(join(bench.directory, 'programs'), 'utf8'), 'upgrade --check');
}

/** The processor time of a process in seconds (proc(5), stat, fields 14 and 15; 100 ticks a second). */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function nextHeartbeats(bench: Workbench, number: number): Promise<void> {
  const path = join(bench.queue, 'nodes', bench.environment['RQ_HOST'] ?? hostname());
  for (let left = number; left > 0; left--) {
    const { mtimeMs } = statSync(path);
    await waitFor(() => statSync(path).mtimeMs !== mtimeMs);
  }
}

function endJob(bench: Workbench): void {
  writeFileSync(join(bench.directory, 'go'), '');
}

async function expectBothFinishedOnce(bench: Workbench): Promise<void> {
  await waitFor(async () => (await bench.jobs('finished')).length === 2);
  expect(await bench.jobs()).toMatchObject([
    { jid: 1, attempt: 1, exit_status: 0 },
    { jid: 2, attempt: 1, exit_status: 0 },
  ]);
  expect(readFileSync(join(bench.directory, 'ends'), 'utf8')).toBe('end\n');
}

test.each([NEWER, SCHEMA_VERSION - 1])(
  'a feeder that meets schema %d, which the installed program does not support either, waits and then continues',
  async (version) => {
    const bench = await runningBench();
    const pid = Number(await pidOf(bench));
    setVersion(bench, version);
    endJob(bench);
    await waitFor(() => log(bench).includes(WAITING));
    const [startMs, startSeconds] = [performance.now(), processorSeconds(pid)];
    await nextHeartbeats(bench, 3);
    const seconds = (performance.now() - startMs) / 1000;
    expect((processorSeconds(pid) - startSeconds) / seconds).toBeLessThan(0.3);
    expect([count(log(bench), WAITING), timesAsked(bench)]).toEqual([1, 1]);
    const restart = await bench.run(['QUEUE', 'restart']);
    expect(restart).toMatchObject({ status: 1, stderr: expect.stringContaining(`schema ${version}`) });
    setVersion(bench, SCHEMA_VERSION);
    await expectBothFinishedOnce(bench);
    expect(await pidOf(bench)).toBe(pid);
    await bench.must(['QUEUE', 'shutdown']);
  },
);

test('an idle feeder that meets a newer schema waits and then claims jobs', async () => {
  const bench = await runningBench();
  endJob(bench);
  await expectBothFinishedOnce(bench);
  setVersion(bench, NEWER);
  await waitFor(() => log(bench).includes(WAITING));
  setVersion(bench, SCHEMA_VERSION);
  await bench.must(['QUEUE', 'submit', '-q', 'echo third']);
  await waitFor(async () => (await bench.jobs('finished')).length === 3);
  await bench.must(['QUEUE', 'shutdown']);
});

test('a feeder restarts itself from the installed program after an upgrade, and reports each result once', async () => {
  const bench = new Workbench();
  const installed = join(bench.directory, 'installed');
  install(ROOT, installed);
  symlinkSync(join(ROOT, 'node_modules'), join(installed, 'node_modules'));
  const rq = join(installed, 'bin/rq');
  await startFeeder(bench, rq);
  const pid = Number(await pidOf(bench));
  install(await newerProgram(), installed);
  const { stdout } = await bench.shell(`${rq} q upgrade --json`);
  const { schema, copy } = JSON.parse(stdout) as { schema: number; copy: string };
  expect(schema).toBe(SCHEMA_VERSION + 1);
  endJob(bench);
  const restarted = async (): Promise<number> =>
    (JSON.parse((await bench.shell(`${rq} q pid --json || true`)).stdout || '{}') as { pid: number }).pid;
  await waitFor(async () => ![undefined, pid].includes(await restarted()));
  await waitFor(() => readIfThere(join(bench.queue, 'stdout/2')) === 'second\n');
  await bench.shell(`${rq} q shutdown`);
  expect(count(log(bench), 'restarting the feeder')).toBe(1);
  expect([log(bench).includes(WAITING), timesAsked(bench)]).toEqual([false, 1]);
  // The programs differ only in the number.
  setVersion(bench, SCHEMA_VERSION);
  await expectBothFinishedOnce(bench);
  rmSync(join(bench.queue, 'db'));
  renameSync(copy, join(bench.queue, 'db'));
  expect(await bench.jobs()).toMatchObject([{ state: 'running' }, { state: 'pending' }]);
});

test.each([
  ['shutdown', 'SIGTERM', { state: 'finished', exit_status: 0 }],
  ['stop', 'SIGQUIT', { state: 'finished', signal: 'SIGTERM' }],
] as const)(
  'a feeder that waits for a newer program ends at %s, and its results are kept',
  async (_, signal, result) => {
    const bench = await runningBench();
    const pid = Number(await pidOf(bench));
    await bench.must(['QUEUE', 'configure', 'max_sleep=1']);
    setVersion(bench, NEWER);
    process.kill(pid, 'SIGURG');
    if (signal === 'SIGTERM') endJob(bench);
    await waitFor(() => signal === 'SIGQUIT' || log(bench).includes(WAITING));
    process.kill(pid, signal);
    await waitFor(async () => (await pidOf(bench)) === undefined);
    expect(log(bench)).toContain('upgrade rq');
    setVersion(bench, SCHEMA_VERSION);
    await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
    expect(await bench.jobs('1')).toMatchObject([{ ...result, attempt: 1 }]);
  },
);

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** A bench with a queue, and a copy of the program in `installed`, which an upgrade can break. */
async function newBench(): Promise<{ bench: Workbench; rq: string }> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const installed = join(bench.directory, 'installed');
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(ROOT, name), join(installed, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(installed, 'node_modules'));
  return { bench, rq: join(installed, 'bin/rq') };
}

function startFeeder({ bench, rq }: { bench: Workbench; rq: string }, command: string): ChildProcess {
  return spawn(rq, [bench.queue, command, '-v1'], { env: bench.environment, cwd: bench.directory, stdio: 'ignore' });
}

async function feederPid(bench: Workbench): Promise<number> {
  return await waitFor(async () => {
    const { status, stdout } = await bench.run(['QUEUE', 'pid', '--json']);
    return status === 0 ? (JSON.parse(stdout) as { pid: number }).pid : undefined;
  });
}

async function expectFailedRestart(bench: Workbench): Promise<void> {
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'restart']);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(
    /^rq: cannot restart the feeder of \S+: the new program .*, and the old feeder continues; .*\n$/,
  );
}

test.each(['feed', 'start'])('a restart that fails leaves the old feeder and its jobs running: %s', async (command) => {
  const { bench, rq } = await newBench();
  const started = startFeeder({ bench, rq }, command);
  const pid = await feederPid(bench);
  const gated = 'echo $$ >>pids; until [ -e go ]; do sleep 0.05; done';
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', gated]);
  await waitFor(() => existsSync(join(bench.directory, 'pids')));
  const program = join(bench.directory, 'installed/dist/launch.cjs');
  renameSync(program, `${program}.away`);
  for (let round = 0; round < 2; round++) await expectFailedRestart(bench);
  expect(await feederPid(bench)).toBe(pid);
  writeFileSync(join(bench.directory, 'go'), '');
  await bench.must(['QUEUE', 'submit', '-q', 'echo second']);
  await waitFor(async () => (await bench.jobs('finished')).length === 2);
  expect(await bench.jobs()).toMatchObject([{ attempt: 1, exit_status: 0 }, { exit_status: 0 }]);
  renameSync(`${program}.away`, program);
  const restarted = JSON.parse(await bench.must(['QUEUE', 'restart', '--json'])) as Record<string, number>;
  expect(restarted).toEqual({ pid: expect.any(Number), before: pid });
  await bench.must(['QUEUE', 'shutdown', '-v1']);
  if (started.exitCode === null) await once(started, 'exit');
  expect(started.exitCode).toBe(0);
});

test('a feeder that is told to end while its restart fails ends', async () => {
  const { bench, rq } = await newBench();
  // The new program starts, but never feeds.
  const started = startFeeder({ bench, rq }, 'feed');
  const pid = await feederPid(bench);
  const hangs = `require('node:fs').writeFileSync(${JSON.stringify(join(bench.directory, 'hangs'))}, ''); setInterval(() => 0, 1000);`;
  writeFileSync(join(bench.directory, 'installed/dist/launch.cjs'), hangs);
  process.kill(pid, 'SIGHUP');
  await waitFor(() => existsSync(join(bench.directory, 'hangs')));
  process.kill(pid, 'SIGTERM');
  await once(started, 'exit');
  expect(started.exitCode).toBe(0);
  expect((await bench.run(['QUEUE', 'pid'])).status).toBe(1);
});

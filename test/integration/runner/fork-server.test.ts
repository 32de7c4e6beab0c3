import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RqError } from '../../../src/job/errors.ts';
import { processStartTime } from '../../../src/job/process.ts';
import { StartRecords } from '../../../src/runner/journal/start-records.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const FOREVER = 'echo ready; until [ -e go ]; do sleep 0.05; done; exit 7';
const PATH = process.env['PATH'];

/** The child processes of a runner. */
function children(runner: number): { pid: number; command: string }[] {
  const listed = readFileSync(`/proc/${runner}/task/${runner}/children`, 'utf8');
  return listed
    .trim()
    .split(' ')
    .filter((pid) => pid !== '')
    .map((pid) => ({ pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') }));
}

async function forkServer(runner: number): Promise<number> {
  return await waitFor(() => children(runner).find(({ command }) => command.includes('fork-server.py'))?.pid);
}

/** Sets the limit of open files of a process. Open files stay open. */
function limitFiles(pid: number, files: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files}:`]);
}

test('the fork server forks jobs, not the runner', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const server = await forkServer(client.hello.pid);
  await client.spawn(harness.job(1, 'echo $PPID $$; kill -TERM $$'));
  const exit = await waitFor(() => exits.get(1));
  expect(harness.read('out.1')).toBe(`${server} ${exit.pid}\n`);
  expect(exit).toMatchObject({ exit_status: null, signal: 'SIGTERM' });
});

test('an exit status above 128 is distinguished from a signal, including real-time signals', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.spawn(harness.job(1, 'exit 143'));
  await client.spawn(harness.job(2, `exec perl -e '$SIG{NUM37} = "DEFAULT"; kill 37, $$'`));
  await waitFor(() => exits.size === 2);
  expect(exits.get(1)).toMatchObject({ exit_status: 143, signal: null });
  expect(exits.get(2)).toMatchObject({ exit_status: null, signal: 'SIGRTMIN+3' });
});

test('a job of a killed fork server continues with an unknown exit status, and the next jobs run', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const { pid } = await client.spawn(harness.job(1, FOREVER));
  await waitFor(() => harness.read('out.1') !== '');
  const server = await forkServer(client.hello.pid);
  process.kill(server, 'SIGKILL');
  await waitFor(() => readFileSync(join(harness.directory, 'runner.log'), 'utf8').includes('fork_server_ended'));
  expect(await client.list()).toMatchObject([{ jid: 1, state: 'running', pid }]);
  await client.spawn(harness.job(2, 'exit 3'));
  expect(await waitFor(() => exits.get(2))).toMatchObject({ exit_status: 3 });
  writeFileSync(harness.file('go'), '');
  expect(await waitFor(() => exits.get(1))).toMatchObject({ pid, exit_status: null, signal: null, isLost: true });
});

test('the next fork server starts a job that a killed fork server had not begun', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const server = await forkServer(client.hello.pid);
  process.kill(server, 'SIGSTOP');
  const spawned = client.spawn(harness.job(1, 'echo ran >> times; exit 4'));
  // Requests are answered in order, so the fork server has the request to start the job.
  await client.environment({ PATH: PATH ?? '', RQT_HARNESS: harness.root });
  process.kill(server, 'SIGKILL');
  expect((await spawned).pid).toBeGreaterThan(1);
  expect(await waitFor(() => exits.get(1))).toMatchObject({ exit_status: 4, isLost: false });
  expect(harness.read('times')).toBe('ran\n');
});

test('a job that a killed fork server had begun, and that is not found, may have run', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const server = await forkServer(client.hello.pid);
  process.kill(server, 'SIGSTOP');
  const spawned = client.spawn(harness.job(1, 'touch ran'));
  await client.environment({ PATH: PATH ?? '', RQT_HARNESS: harness.root });
  new StartRecords(join(harness.directory, 'begun')).add('1.1');
  process.kill(server, 'SIGKILL');
  expect(await spawned).toMatchObject({ pid: null });
  const exit = await waitFor(() => exits.get(1));
  expect(exit).toMatchObject({ pid: null, exit_status: null, signal: null, elapsed: null, isLost: true });
  expect(exit.reason).toContain('the job may have run');
});

test('a job is not reported as ended while the runner cannot search for its process', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const { pid: runner, journal } = client.hello;
  const server = await forkServer(runner);
  process.kill(server, 'SIGSTOP');
  const spawned = client.spawn(harness.job(1, 'true'));
  await client.environment({ PATH: PATH ?? '', RQT_HARNESS: harness.root });
  const env = { ...process.env, RQ_ATTEMPT_ID: `${journal}.1.1`, RQT_HARNESS: harness.root };
  const { pid } = spawn('sleep', ['1000'], { detached: true, env });
  new StartRecords(join(harness.directory, 'begun')).add('1.1');
  limitFiles(runner, 3);
  process.kill(server, 'SIGKILL');
  const log = join(harness.directory, 'runner.log');
  await waitFor(() => readFileSync(log, 'utf8').split('search for the attempts of the fork server').length > 2);
  limitFiles(runner, 1024);
  expect((await spawned).pid).toBe(pid);
  process.kill(Number(pid), 'SIGKILL');
  expect(await waitFor(() => exits.get(1))).toMatchObject({ pid, exit_status: null, isLost: true });
});

test('a signal to a job that has ended fails, even if its exit is not reported yet', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const server = await forkServer(client.hello.pid);
  const { pid } = await client.spawn(harness.job(1, FOREVER));
  process.kill(server, 'SIGSTOP');
  writeFileSync(harness.file('go'), '');
  await waitFor(() => processStartTime(Number(pid)) === undefined);
  await expect(client.signal({ jid: 1, attempt: 1, signal: 'SIGTERM', graceMs: 100 })).rejects.toMatchObject({
    facts: { code: 'NO_ATTEMPT' },
  });
  process.kill(server, 'SIGCONT');
  expect(await waitFor(() => exits.get(1))).toMatchObject({ exit_status: 7, isLost: false });
});

test('a list waits for the results of earlier spawns', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const server = await forkServer(client.hello.pid);
  await client.spawn(harness.job(1, FOREVER));
  process.kill(server, 'SIGSTOP');
  const spawned = client.spawn(harness.job(2, 'touch ran')).catch((error: RqError) => error.facts['code']);
  let isListed = false;
  const listed = client.list().finally(() => {
    isListed = true;
  });
  await client.environment({ PATH: PATH ?? '', RQT_HARNESS: harness.root });
  expect(isListed).toBe(false);
  process.kill(server, 'SIGCONT');
  expect(await spawned).toBe('CANCELLED');
  expect(await listed).toMatchObject([{ jid: 1, state: 'running' }]);
  writeFileSync(harness.file('go'), '');
  await waitFor(() => exits.get(1));
});

test('a new runner waits for the end of the fork server of a killed runner', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start();
  const server = await forkServer(client.hello.pid);
  process.kill(server, 'SIGSTOP');
  client.spawn(harness.job(1, FOREVER)).catch(() => undefined);
  await client.environment({ PATH: PATH ?? '', RQT_HARNESS: harness.root });
  process.kill(client.hello.pid, 'SIGKILL');
  await waitFor(() => processStartTime(client.hello.pid) === undefined);
  const next = harness.start();
  const refusal = async (): Promise<unknown> =>
    await harness.connect(200).then(
      () => 'none',
      (error: RqError) => error.facts['code'],
    );
  await waitFor(async () => (await refusal()) === 'NO_RUNNER');
  process.kill(server, 'SIGCONT');
  const { client: second } = await next;
  expect(processStartTime(server)).toBeUndefined();
  // The fork server starts the job only before it notices the end of the runner. The list shows whether it did.
  const listed = await second.list();
  writeFileSync(harness.file('go'), '');
  if (listed.length === 0) expect(harness.read('out.1')).toBe('');
  else await waitFor(async () => (await second.list())[0]?.state === 'exited');
});

test('a fork server ends with its runner', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start(100);
  const server = await forkServer(client.hello.pid);
  client.close();
  await waitFor(() => processStartTime(server) === undefined);
  await waitFor(() => harness.runners().length === 0);
});

test.each([
  ['has no Python', undefined],
  ['has a Python that fails', '#!/bin/sh\nexit 1\n'],
  ['has a Python that fails late', '#!/bin/bash\nread -rN1\nexit 1\n'],
])('on a host that %s, the runner forks jobs itself', async (_, python) => {
  const harness = new RunnerHarness();
  harness.hidePython(python);
  const { client, exits } = await harness.start();
  const { pid } = await client.spawn(harness.job(1, 'echo $PPID; exit 5'));
  expect(await waitFor(() => exits.get(1))).toMatchObject({ pid, exit_status: 5, signal: null });
  expect(harness.read('out.1')).toBe(`${client.hello.pid}\n`);
  await client.spawn(harness.job(2, 'kill -KILL $$'));
  expect(await waitFor(() => exits.get(2))).toMatchObject({ exit_status: null, signal: 'SIGKILL' });
  await client.spawn(harness.job(3, 'touch ran', { cwd: '/nowhere' }));
  const nowhere = 'cannot enter the directory /nowhere: no such file or directory';
  expect(await waitFor(() => exits.get(3))).toMatchObject({ pid: null, reason: nowhere });
  await client.spawn(harness.job(4, 'touch ran', { stdin: harness.file('none') }));
  expect((await waitFor(() => exits.get(4))).reason).toContain('cannot open stdin');
});

test('variables of the user that affect Python do not affect the fork server', async () => {
  const harness = new RunnerHarness();
  process.env['PYTHONHOME'] = '/nothing/that/is/there';
  try {
    const { client, exits } = await harness.start();
    await client.spawn(harness.job(1, 'echo $PYTHONHOME'));
    await waitFor(() => exits.get(1));
    await forkServer(client.hello.pid);
    expect(harness.read('out.1')).toBe('/nothing/that/is/there\n');
  } finally {
    delete process.env['PYTHONHOME'];
  }
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { RqError } from '../../src/job/errors.ts';
import { processStartTime } from '../../src/job/process.ts';
import { RunnerRig } from '../support/runner.ts';
import { waitFor } from '../support/wait-for.ts';

const FOREVER = 'echo ready; until [ -e go ]; do sleep 0.05; done; exit 7';
const PATH = process.env['PATH'];

afterEach(() => {
  process.env['PATH'] = PATH;
});

/** The processes that a runner has, by their words. */
function children(runner: number): { pid: number; words: string }[] {
  const listed = readFileSync(`/proc/${runner}/task/${runner}/children`, 'utf8');
  return listed
    .trim()
    .split(' ')
    .filter((pid) => pid !== '')
    .map((pid) => ({ pid: Number(pid), words: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') }));
}

async function forkServer(runner: number): Promise<number> {
  return await waitFor(() => children(runner).find(({ words }) => words.startsWith('rq fork server'))?.pid);
}

/** A PATH on which there is all that a runner needs but perl, or one that is not what it should be. */
function pathWithout(rig: RunnerRig, perl?: string): void {
  const bin = join(rig.root, 'bin');
  mkdirSync(bin);
  for (const name of ['bash', 'sh', 'flock', 'sleep', 'touch']) {
    symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(bin, name));
  }
  if (perl !== undefined) writeFileSync(join(bin, 'perl'), perl, { mode: 0o755 });
  process.env['PATH'] = bin;
}

test('Jobs are forked by a process of their own, not by the runner', async () => {
  const rig = new RunnerRig();
  const { client, exits } = await rig.start();
  const server = await forkServer(client.hello.pid);
  await client.spawn(rig.job(1, 'echo $PPID $$; kill -TERM $$'));
  const exit = await waitFor(() => exits.get(1));
  expect(rig.read('out.1')).toBe(`${server} ${exit.pid}\n`);
  expect(exit).toMatchObject({ exit_status: null, signal: 'SIGTERM' });
});

test('An exit status above 128 and a signal are told apart, real-time signals too', async () => {
  const rig = new RunnerRig();
  const { client, exits } = await rig.start();
  await client.spawn(rig.job(1, 'exit 143'));
  await client.spawn(rig.job(2, `exec perl -e '$SIG{NUM37} = "DEFAULT"; kill 37, $$'`));
  await waitFor(() => exits.size === 2);
  expect(exits.get(1)).toMatchObject({ exit_status: 143, signal: null });
  expect(exits.get(2)).toMatchObject({ exit_status: null, signal: 'SIGRTMIN+3' });
});

test('A job whose fork server is killed goes on; how it ends is unknown, and the next jobs run', async () => {
  const rig = new RunnerRig();
  const { client, exits } = await rig.start();
  const { pid } = await client.spawn(rig.job(1, FOREVER));
  await waitFor(() => rig.read('out.1') !== '');
  const server = await forkServer(client.hello.pid);
  process.kill(server, 'SIGKILL');
  await waitFor(() => readFileSync(join(rig.directory, 'runner.log'), 'utf8').includes('fork_server_gone'));
  expect(await client.list()).toMatchObject([{ jid: 1, state: 'running', pid }]);
  await client.spawn(rig.job(2, 'exit 3'));
  expect(await waitFor(() => exits.get(2))).toMatchObject({ exit_status: 3 });
  writeFileSync(rig.file('go'), '');
  expect(await waitFor(() => exits.get(1))).toMatchObject({ pid, exit_status: null, signal: null, isLost: true });
});

test('What a fork server was told to start when it was killed is not said to be unstarted', async () => {
  const rig = new RunnerRig();
  const { client, exits } = await rig.start();
  const server = await forkServer(client.hello.pid);
  process.kill(server, 'SIGSTOP');
  const spawned = client.spawn(rig.job(1, 'touch ran'));
  // Answered behind what was sent before it: the order is with the fork server.
  await client.environment({ PATH: PATH ?? '' });
  process.kill(server, 'SIGKILL');
  expect(await spawned).toMatchObject({ pid: null });
  const exit = await waitFor(() => exits.get(1));
  expect(exit).toMatchObject({ pid: null, exit_status: null, signal: null, isLost: true });
  expect(exit.reason).toContain('which may have run');
});

test('A list and a signal wait until it is known what became of the spawns before them', async () => {
  const rig = new RunnerRig();
  const { client, exits } = await rig.start();
  const server = await forkServer(client.hello.pid);
  process.kill(server, 'SIGSTOP');
  const spawned = client.spawn(rig.job(1, FOREVER));
  const listed = client.list();
  const signalled = client.signal({ jid: 1, attempt: 1, signal: 'SIGTERM' });
  await client.environment({ PATH: PATH ?? '' });
  process.kill(server, 'SIGCONT');
  const { pid } = await spawned;
  expect(await listed).toMatchObject([{ jid: 1, state: 'running', pid }]);
  await signalled;
  expect(await waitFor(() => exits.get(1))).toMatchObject({ pid, signal: 'SIGTERM' });
});

test('A next runner waits for what the fork server of a killed one still starts, and adopts it', async () => {
  const rig = new RunnerRig();
  const { client } = await rig.start();
  const server = await forkServer(client.hello.pid);
  process.kill(server, 'SIGSTOP');
  client.spawn(rig.job(1, FOREVER)).catch(() => undefined);
  await client.environment({ PATH: PATH ?? '' });
  process.kill(client.hello.pid, 'SIGKILL');
  await waitFor(() => processStartTime(client.hello.pid) === undefined);
  const next = rig.start();
  const refusal = async (): Promise<unknown> =>
    await rig.connect(200).then(
      () => 'none',
      (error: RqError) => error.facts['code'],
    );
  await waitFor(async () => (await refusal()) === 'NO_RUNNER');
  process.kill(server, 'SIGCONT');
  const { client: second } = await next;
  expect(await second.list()).toMatchObject([{ jid: 1, state: 'running' }]);
  expect(processStartTime(server)).toBeUndefined();
  writeFileSync(rig.file('go'), '');
  await waitFor(async () => (await second.list())[0]?.state === 'exited');
});

test('A fork server ends with its runner', async () => {
  const rig = new RunnerRig();
  const { client } = await rig.start(100);
  const server = await forkServer(client.hello.pid);
  client.close();
  await waitFor(() => processStartTime(server) === undefined);
  await waitFor(() => rig.runners().length === 0);
});

test.each([
  ['without perl', undefined],
  ['with a perl that fails', '#!/bin/sh\nexit 1\n'],
  ['with a perl that fails late', '#!/bin/bash\nread -rN1\nexit 1\n'],
])('On a host %s the runner forks by itself', async (_, perl) => {
  const rig = new RunnerRig();
  pathWithout(rig, perl);
  const { client, exits } = await rig.start();
  const { pid } = await client.spawn(rig.job(1, 'echo $PPID; exit 5'));
  expect(await waitFor(() => exits.get(1))).toMatchObject({ pid, exit_status: 5, signal: null });
  expect(rig.read('out.1')).toBe(`${client.hello.pid}\n`);
  await client.spawn(rig.job(2, 'kill -KILL $$'));
  expect(await waitFor(() => exits.get(2))).toMatchObject({ exit_status: null, signal: 'SIGKILL' });
  await client.spawn(rig.job(3, 'touch ran', { cwd: '/nowhere' }));
  const nowhere = 'cannot enter the directory /nowhere: no such file or directory';
  expect(await waitFor(() => exits.get(3))).toMatchObject({ pid: null, reason: nowhere });
  await client.spawn(rig.job(4, 'touch ran', { stdin: rig.file('none') }));
  expect((await waitFor(() => exits.get(4))).reason).toContain('cannot open stdin');
});

test('A variable of the user that would change perl does not change the fork server', async () => {
  const rig = new RunnerRig();
  process.env['PERL5OPT'] = '-Mnothing_that_is_there';
  try {
    const { client, exits } = await rig.start();
    await client.spawn(rig.job(1, 'echo $PERL5OPT'));
    await waitFor(() => exits.get(1));
    await forkServer(client.hello.pid);
    expect(rig.read('out.1')).toBe('-Mnothing_that_is_there\n');
  } finally {
    delete process.env['PERL5OPT'];
  }
});

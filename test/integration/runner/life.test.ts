import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launchRunner } from '../../../src/runner/launch.ts';
import { RunnerRig } from '../../support/runner.ts';
import { waitFor } from '../../support/wait-for.ts';

const FOREVER = 'echo ready; until [ -e go ]; do sleep 0.05; done';

test('Of eight runners that start at once after kill -9 exactly one lives, in every round', async () => {
  const rig = new RunnerRig();
  await rig.launch();
  const { client } = await rig.connect();
  await client.spawn(rig.job(1, FOREVER));
  for (let round = 0; round < 12; round += 1) {
    await rig.killRunner();
    const contenders: ChildProcess[] = [];
    for (let index = 0; index < 8; index += 1) {
      const child = spawn(process.execPath, [rig.program, rig.directory], { detached: true, stdio: 'ignore' });
      contenders.push(child);
    }
    await waitFor(() => rig.runners().length === 1 && contenders.filter(({ exitCode }) => exitCode === 0).length === 7);
    const next = await rig.connect();
    expect(next.client.hello.pid).toBe(rig.runners()[0]);
    expect(await next.client.list()).toMatchObject([{ jid: 1, state: 'running' }]);
    expect(readFileSync(join(rig.directory, 'runner.pid'), 'utf8')).toBe(`${next.client.hello.pid}\n`);
    next.client.close();
  }
  writeFileSync(rig.file('go'), '');
  const last = await rig.connect();
  await waitFor(async () => (await last.client.list())[0]?.state === 'exited');
});

test('Eight that launch at once get the same runner', async () => {
  const rig = new RunnerRig();
  const hellos = await Promise.all(Array.from({ length: 8 }, () => rig.launch()));
  expect(new Set(hellos.map(({ pid }) => pid)).size).toBe(1);
  await waitFor(() => rig.runners().length === 1);
});

test('A runner with nothing to do exits, and leaves the journal but neither socket nor pid file', async () => {
  const rig = new RunnerRig();
  const { client, exits } = await rig.start(200);
  await client.spawn(rig.job(1, 'exit 9'));
  await waitFor(() => exits.get(1));
  client.close();
  await waitFor(() => rig.runners().length === 0);
  expect(readdirSync(rig.directory).sort()).toEqual(['begun', 'journal', 'runner.log', 'scripts']);
  const next = await rig.start();
  expect(next.client.hello.journal).toBe(client.hello.journal);
  expect(await next.client.list()).toMatchObject([{ jid: 1, exit: { exit_status: 9 } }]);
});

test('A runner whose job runs does not exit, though nobody is connected', async () => {
  const rig = new RunnerRig();
  const { client } = await rig.start(100);
  await client.spawn(rig.job(1, 'sleep 0.7; touch done'));
  client.close();
  await waitFor(() => existsSync(rig.file('done')) || rig.runners().length === 0);
  expect(existsSync(rig.file('done'))).toBe(true);
  await waitFor(() => rig.runners().length === 0);
});

test('Signals that end daemons do not end a runner while a job runs', async () => {
  const rig = new RunnerRig();
  const { client, exits } = await rig.start();
  await client.spawn(rig.job(1, FOREVER));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(client.hello.pid, signal);
  const log = (): string => readFileSync(join(rig.directory, 'runner.log'), 'utf8');
  await waitFor(() => log().match(/signal_ignored/g)?.length === 3);
  writeFileSync(rig.file('go'), '');
  await waitFor(() => exits.get(1));
  process.kill(client.hello.pid, 'SIGTERM');
  await waitFor(() => rig.runners().length === 0);
  expect(existsSync(join(rig.directory, 'runner.sock'))).toBe(false);
});

test('A job has its signals at their defaults, but for real-time signals, which are ignored', async () => {
  const rig = new RunnerRig();
  const { client, exits } = await rig.start();
  await client.spawn(rig.job(1, 'grep -E "Sig(Ign|Blk)" /proc/self/status'));
  await waitFor(() => exits.get(1));
  const masks = rig
    .read('out.1')
    .trim()
    .split('\n')
    .map((line) => BigInt(`0x${line.split(/\s+/)[1]}`));
  // Blocked are none; ignored are 34 to 64, and the C library's own two, 32 and 33, where it starts the job itself.
  const own = 0x180000000n;
  expect(masks.map((mask) => mask & ~own)).toEqual([0n, 0xfffffffe00000000n]);
});

test('A shutdown waits for the jobs, starts no more, and tells the last exit', async () => {
  const rig = new RunnerRig();
  const { client, exits, disconnected } = await rig.start();
  await client.spawn(rig.job(1, FOREVER));
  await client.shutdown();
  await expect(client.spawn(rig.job(2, 'touch ran'))).rejects.toMatchObject({ facts: { code: 'SHUTTING_DOWN' } });
  writeFileSync(rig.file('go'), '');
  expect((await disconnected).facts['code']).toBe('STOPPING');
  expect(exits.get(1)).toMatchObject({ exit_status: 0 });
  await waitFor(() => rig.runners().length === 0);
  const next = await rig.start();
  expect(await next.client.list()).toMatchObject([{ jid: 1, exit: { exit_status: 0 } }]);
});

test('A runner lives in a session of its own, in the root directory, with its socket for its user alone', async () => {
  const rig = new RunnerRig();
  const { client } = await rig.start();
  const stat = readFileSync(`/proc/${client.hello.pid}/stat`, 'latin1');
  expect(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]).toBe(`${client.hello.pid}`);
  expect(statSync(join(rig.directory, 'runner.sock')).mode & 0o777).toBe(0o600);
  expect(statSync(join(rig.directory, 'journal')).mode & 0o777).toBe(0o600);
  expect(statSync(rig.directory).mode & 0o777).toBe(0o700);
});

test('A directory that others could have prepared is refused', async () => {
  const rig = new RunnerRig();
  mkdirSync(rig.directory);
  chmodSync(rig.directory, 0o777);
  await expect(rig.launch()).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
});

test('A log of more than a mebibyte is begun anew', async () => {
  const rig = new RunnerRig();
  mkdirSync(rig.directory, { mode: 0o700 });
  writeFileSync(join(rig.directory, 'runner.log'), 'x'.repeat(1024 * 1024 + 1), { mode: 0o600 });
  await rig.launch();
  expect(statSync(join(rig.directory, 'runner.log')).size).toBeLessThan(10_000);
});

test('A program that fails to start is an error that says what its log says', async () => {
  const rig = new RunnerRig();
  const program = rig.file('broken.mjs');
  writeFileSync(program, 'console.error("it is broken"); process.exit(3);');
  await expect(launchRunner(rig.directory, program)).rejects.toThrow(/it ended with 3.*it is broken/);
});

test('A path that is too long for a socket is an error that says so', async () => {
  const rig = new RunnerRig();
  const directory = join(rig.root, 'x'.repeat(100));
  await expect(launchRunner(directory, rig.program)).rejects.toThrow('longer than 107 bytes');
});

test('A new client finds a runner that takes jobs, though the one before it asked for a shutdown', async () => {
  const rig = new RunnerRig();
  const { client } = await rig.start();
  await client.spawn(rig.job(1, FOREVER));
  await waitFor(() => rig.read('out.1') !== '');
  await client.shutdown();
  const later = await rig.connect();
  await later.client.spawn(rig.job(2, 'touch ran'));
  await waitFor(() => later.exits.has(2));
  writeFileSync(rig.file('go'), '');
  await waitFor(() => later.exits.has(1));
  expect(rig.runners()).toHaveLength(1);
});

test('A shutdown tells the exit of a job that was killed in its grace time', async () => {
  const rig = new RunnerRig();
  const { client, exits, disconnected } = await rig.start();
  await client.spawn(rig.job(1, FOREVER));
  await waitFor(() => rig.read('out.1') !== '');
  await client.shutdown();
  await client.signal({ jid: 1, attempt: 1, signal: 'SIGTERM', graceMs: 60_000 });
  expect((await disconnected).facts['code']).toBe('STOPPING');
  expect(exits.get(1)).toMatchObject({ signal: 'SIGTERM' });
  await waitFor(() => rig.runners().length === 0);
});

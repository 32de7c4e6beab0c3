import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launchRunner } from '../../../src/runner/launch.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const FOREVER = 'echo ready; until [ -e go ]; do sleep 0.05; done';

test('of eight runners that start at once after a kill, exactly one stays', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const { client } = await harness.connect();
  await client.spawn(harness.job(1, FOREVER));
  for (let round = 0; round < 12; round += 1) {
    await harness.killRunner();
    const contenders: ChildProcess[] = [];
    for (let index = 0; index < 8; index += 1) {
      const child = spawn(process.execPath, [harness.program, harness.directory, '30000'], {
        detached: true,
        stdio: 'ignore',
      });
      contenders.push(child);
    }
    await waitFor(
      () => harness.runners().length === 1 && contenders.filter(({ exitCode }) => exitCode === 0).length === 7,
    );
    const next = await harness.connect();
    expect(next.client.hello.pid).toBe(harness.runners()[0]);
    expect(await next.client.list()).toMatchObject([{ jid: 1, state: 'running' }]);
    expect(readFileSync(join(harness.directory, 'runner.pid'), 'utf8')).toBe(`${next.client.hello.pid}\n`);
    next.client.close();
  }
  writeFileSync(harness.file('go'), '');
  const last = await harness.connect();
  await waitFor(async () => (await last.client.list())[0]?.state === 'exited');
});

test('eight launches at once get the same runner', async () => {
  const harness = new RunnerHarness();
  const hellos = await Promise.all(Array.from({ length: 8 }, () => harness.launch()));
  expect(new Set(hellos.map(({ pid }) => pid)).size).toBe(1);
  await waitFor(() => harness.runners().length === 1);
});

test('an idle runner exits and leaves its journal, but no socket and no pid file', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start(200);
  await client.spawn(harness.job(1, 'exit 9'));
  await waitFor(() => exits.get(1));
  client.close();
  await waitFor(() => harness.runners().length + harness.starters().length === 0);
  expect(readdirSync(harness.directory).sort()).toEqual(['begun', 'journal', 'runner.log', 'scripts', 'starter.lock']);
  const next = await harness.start();
  expect(next.client.hello.journal).toBe(client.hello.journal);
  expect(await next.client.list()).toMatchObject([{ jid: 1, exit: { exit_status: 9 } }]);
});

test('a runner with a running job does not exit, even without a client', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start(100);
  await client.spawn(harness.job(1, 'sleep 0.7; touch done'));
  client.close();
  await waitFor(() => existsSync(harness.file('done')) || harness.runners().length === 0);
  expect(existsSync(harness.file('done'))).toBe(true);
  await waitFor(() => harness.runners().length === 0);
});

test('TERM, INT and HUP do not end a runner while a job runs', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.spawn(harness.job(1, FOREVER));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(client.hello.pid, signal);
  const log = (): string => readFileSync(join(harness.directory, 'runner.log'), 'utf8');
  await waitFor(() => log().match(/signal_ignored/g)?.length === 3);
  writeFileSync(harness.file('go'), '');
  await waitFor(() => exits.get(1));
  process.kill(client.hello.pid, 'SIGTERM');
  await waitFor(() => harness.runners().length === 0);
  expect(existsSync(join(harness.directory, 'runner.sock'))).toBe(false);
});

test('a job starts with default signal handlers', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.spawn(harness.job(1, 'grep -E "Sig(Ign|Blk)" /proc/self/status'));
  await waitFor(() => exits.get(1));
  const masks = harness
    .read('out.1')
    .trim()
    .split('\n')
    .map((line) => BigInt(`0x${line.split(/\s+/)[1]}`));
  expect(masks).toEqual([0n, 0n]);
});

test('a shutdown starts no more jobs, waits for the running ones, and reports the last exit', async () => {
  const harness = new RunnerHarness();
  const { client, exits, disconnected } = await harness.start();
  await client.spawn(harness.job(1, FOREVER));
  await client.shutdown();
  await expect(client.spawn(harness.job(2, 'touch ran'))).rejects.toMatchObject({ facts: { code: 'SHUTTING_DOWN' } });
  writeFileSync(harness.file('go'), '');
  expect((await disconnected).facts['code']).toBe('STOPPING');
  expect(exits.get(1)).toMatchObject({ exit_status: 0 });
  await waitFor(() => harness.runners().length === 0);
  const next = await harness.start();
  expect(await next.client.list()).toMatchObject([{ jid: 1, exit: { exit_status: 0 } }]);
});

test('a runner has its own session, works in the root directory, and its socket is private to the user', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start();
  const stat = readFileSync(`/proc/${client.hello.pid}/stat`, 'latin1');
  expect(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]).toBe(`${client.hello.pid}`);
  expect(statSync(join(harness.directory, 'runner.sock')).mode & 0o777).toBe(0o600);
  expect(statSync(join(harness.directory, 'journal')).mode & 0o777).toBe(0o600);
  expect(statSync(harness.directory).mode & 0o777).toBe(0o700);
});

test('a runtime directory that others can write to is refused', async () => {
  const harness = new RunnerHarness();
  mkdirSync(harness.directory);
  chmodSync(harness.directory, 0o777);
  await expect(harness.launch()).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
});

test('a log of more than 1 MiB is truncated at the start', async () => {
  const harness = new RunnerHarness();
  mkdirSync(harness.directory, { mode: 0o700 });
  writeFileSync(join(harness.directory, 'runner.log'), 'x'.repeat(1024 * 1024 + 1), { mode: 0o600 });
  await harness.launch();
  expect(statSync(join(harness.directory, 'runner.log')).size).toBeLessThan(10_000);
});

test('the error for a runner that fails to start contains its log', async () => {
  const harness = new RunnerHarness();
  const program = harness.file('broken.mjs');
  writeFileSync(program, 'console.error("it is broken"); process.exit(3);');
  await expect(launchRunner(harness.directory, program)).rejects.toThrow(/it ended with exit status 3.*it is broken/);
});

test('a path that is too long for a socket causes a clear error', async () => {
  const harness = new RunnerHarness();
  const directory = join(harness.root, 'x'.repeat(100));
  await expect(launchRunner(directory, harness.program)).rejects.toThrow('longer than 107 bytes');
});

test('a new client cancels the shutdown that the client before it requested', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start();
  await client.spawn(harness.job(1, FOREVER));
  await waitFor(() => harness.read('out.1') !== '');
  await client.shutdown();
  const later = await harness.connect();
  await later.client.spawn(harness.job(2, 'touch ran'));
  await waitFor(() => later.exits.has(2));
  writeFileSync(harness.file('go'), '');
  await waitFor(() => later.exits.has(1));
  expect(harness.runners()).toHaveLength(1);
});

test('a shutdown reports the exit of a job that ends in its grace period', async () => {
  const harness = new RunnerHarness();
  const { client, exits, disconnected } = await harness.start();
  await client.spawn(harness.job(1, FOREVER));
  await waitFor(() => harness.read('out.1') !== '');
  await client.shutdown();
  await client.signal({ jid: 1, claim: 1, signal: 'SIGTERM', graceMs: 60_000 });
  expect((await disconnected).facts['code']).toBe('STOPPING');
  expect(exits.get(1)).toMatchObject({ signal: 'SIGTERM' });
  await waitFor(() => harness.runners().length === 0);
});

test('an end by a signal is the shutdown of the host if the runner is signalled as well', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.spawn(harness.job(1, 'kill -TERM $$'));
  await client.spawn(harness.job(2, FOREVER));
  process.kill(client.hello.pid, 'SIGTERM');
  const shutDown = { exit_status: null, signal: null, reason: 'the host was shut down', isLost: true };
  expect(await waitFor(() => exits.get(1))).toMatchObject(shutDown);
  // A job that exits by itself has its own status.
  writeFileSync(harness.file('go'), '');
  expect(await waitFor(() => exits.get(2))).toMatchObject({ signal: null, isLost: false });
});

test('an end by a signal alone, and one that the client has caused, are reported as they are', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.spawn(harness.job(1, 'kill -HUP $$'));
  expect(await waitFor(() => exits.get(1))).toMatchObject({ signal: 'SIGHUP', isLost: false, reason: null });
  await client.spawn(harness.job(2, FOREVER));
  await client.signal({ jid: 2, claim: 1, signal: 'SIGTERM', graceMs: 1000 });
  process.kill(client.hello.pid, 'SIGTERM');
  expect(await waitFor(() => exits.get(2))).toMatchObject({ signal: 'SIGTERM', isLost: false, reason: null });
});

test('a runner that is killed while it holds an end back loses nothing', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start();
  await client.spawn(harness.job(1, 'touch ended; kill -KILL $$'));
  await waitFor(() => existsSync(harness.file('ended')));
  await harness.killRunner();
  const next = await harness.start();
  const listed = await waitFor(async () => {
    const [attempt] = await next.client.list();
    return attempt?.state === 'exited' && attempt;
  });
  expect(listed).toMatchObject({ exit: { signal: 'SIGKILL', isLost: false } });
});

test('after an unexpected error, the next runner has the real ends of all jobs', async () => {
  const harness = new RunnerHarness();
  const hook = harness.file('hook.cjs');
  writeFileSync(hook, `process.on('SIGUSR2', () => { throw new Error('planted'); });`);
  process.env['NODE_OPTIONS'] = `--require ${hook}`;
  const { client, disconnected } = await harness.start().finally(() => delete process.env['NODE_OPTIONS']);
  await client.spawn(harness.job(1, 'until [ -e go ]; do sleep 0.05; done; exit 9'));
  process.kill(client.hello.pid, 'SIGUSR2');
  await disconnected;
  await waitFor(() => harness.runners().length === 0);
  expect(readFileSync(join(harness.directory, 'runner.log'), 'utf8')).toContain('planted');
  const next = await harness.start();
  expect(await next.client.list()).toMatchObject([{ jid: 1, state: 'running' }]);
  writeFileSync(harness.file('go'), '');
  expect(await waitFor(() => next.exits.get(1))).toMatchObject({ exit_status: 9, isLost: false });
});

import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RqError } from '../../../src/job/errors.ts';
import { processStartTime } from '../../../src/job/process.ts';
import { launchRunner } from '../../../src/runner/launch.ts';
import { type Connected, RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const FOREVER = 'echo ready; until [ -e go ]; do sleep 0.05; done; exit 7';
const UNKNOWN = 'the starter was killed, so the exit status is unknown';

function logOf(harness: RunnerHarness): string {
  return readFileSync(join(harness.directory, 'runner.log'), 'utf8');
}

/** Kills the starter, and connects to the next runner. */
async function replaceStarter(harness: RunnerHarness, { disconnected }: Connected): Promise<Connected> {
  await harness.killStarter();
  await disconnected;
  await waitFor(() => harness.runners().length === 0);
  return await harness.start();
}

test('the starter forks jobs, not the runner', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.spawn(harness.job(1, 'echo $PPID $$; kill -TERM $$'));
  const exit = await waitFor(() => exits.get(1));
  expect(harness.read('out.1')).toBe(`${harness.starters()[0]} ${exit.pid}\n`);
  expect(exit).toMatchObject({ exit_status: null, signal: 'SIGTERM' });
});

test('each exit status is reported as it is', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const jids = Array.from({ length: 256 }, (_, status) => status + 1);
  await Promise.all(jids.map((jid) => client.spawn(harness.job(jid, `exit ${jid - 1}`))));
  await waitFor(() => exits.size === jids.length);
  expect(jids.map((jid) => exits.get(jid)?.exit_status)).toEqual(jids.map((jid) => jid - 1));
  expect(jids.filter((jid) => exits.get(jid)?.signal !== null)).toEqual([]);
});

test('each signal that ends a process is reported by its name', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const { SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH } = constants.signals;
  const harmless = [SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH] as number[];
  const numbers = Array.from({ length: 64 }, (_, index) => index + 1).filter((number) => !harmless.includes(number));
  const kill = (number: number): string => `ulimit -c 0; exec sh -c 'kill -${number} $$; sleep 60'`;
  await Promise.all(numbers.map((number) => client.spawn(harness.job(number, kill(number)))));
  await waitFor(() => exits.size === numbers.length);
  const nameOf = (number: number): string | undefined => {
    if (number >= 34) return `SIGRTMIN${number === 34 ? '' : `+${number - 34}`}`;
    return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `SIG${number}`;
  };
  expect(numbers.map((number) => exits.get(number)?.signal)).toEqual(numbers.map(nameOf));
  expect(numbers.filter((number) => exits.get(number)?.exit_status !== null)).toEqual([]);
});

test('the exit statuses of fifty jobs are known, although the runner is killed while they run and end', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const jids = Array.from({ length: 50 }, (_, index) => index + 1);
  const command = (jid: number): string => `until [ -e go ]; do sleep 0.0${jid % 10}1; done; exit ${jid}`;
  await Promise.all(jids.map((jid) => first.client.spawn(harness.job(jid, command(jid)))));
  writeFileSync(harness.file('go'), '');
  await waitFor(() => first.exits.size > 0);
  await harness.killRunner();
  const { client } = await harness.start();
  const listed = await waitFor(async () => {
    const list = await client.list();
    return list.every(({ state }) => state === 'exited') && list;
  });
  const expected = jids.map((jid) => ({ jid, exit: { exit_status: jid, signal: null, isLost: false } }));
  expect(listed).toMatchObject(expected);
});

test('when the starter is killed, earlier ends are known, and jobs that run can still be ended', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  await first.client.spawn(harness.job(1, 'exit 3'));
  await waitFor(() => first.exits.get(1));
  const { pid } = await first.client.spawn(
    harness.job(2, 'setsid sleep 600 & env -i setsid sleep 601 & echo ready; wait'),
  );
  await waitFor(() => harness.read('out.2') !== '');
  const second = await replaceStarter(harness, first);
  expect(second.client.hello.journal).toBe(first.client.hello.journal);
  expect(await second.client.list()).toMatchObject([
    { jid: 1, state: 'exited', exit: { exit_status: 3, isLost: false } },
    { jid: 2, state: 'running', pid },
  ]);
  expect(logOf(harness)).toContain('"event":"starter_lost"');
  await second.client.signal({ jid: 2, claim: 1, signal: 'SIGTERM', graceMs: 60_000 });
  const exit = await waitFor(() => second.exits.get(2));
  expect(exit).toMatchObject({ pid, exit_status: null, signal: null, reason: UNKNOWN, isLost: true, max_rss: null });
  expect(exit.elapsed).toBeGreaterThan(0);
});

test('a job that ends while there is no starter has an unknown exit status, and the next jobs run', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const { pid } = await first.client.spawn(harness.job(1, FOREVER));
  await waitFor(() => harness.read('out.1') !== '');
  await harness.killRunner();
  await harness.killStarter();
  writeFileSync(harness.file('go'), '');
  await waitFor(() => processStartTime(Number(pid)) === undefined);
  const { client, exits } = await harness.start();
  const exit = { pid, exit_status: null, signal: null, reason: UNKNOWN, isLost: true, elapsed: null };
  expect(await client.list()).toMatchObject([{ jid: 1, state: 'exited', exit }]);
  await client.spawn(harness.job(2, 'exit 4'));
  expect(await waitFor(() => exits.get(2))).toMatchObject({ exit_status: 4 });
});

test('a job that a killed starter had not begun was never started', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  await first.client.slots(1);
  await first.client.spawn(harness.job(1, FOREVER));
  first.client.spawn(harness.job(2, 'touch ran')).catch(() => undefined);
  // Requests are performed in order, so the runner has sent the second job to the starter.
  await first.client.ack([]);
  await first.client.environment({ PATH: process.env['PATH'] ?? '', RQT_HARNESS: harness.root });
  const second = await replaceStarter(harness, first);
  expect(await second.client.list()).toMatchObject([{ jid: 1, state: 'running' }]);
  writeFileSync(harness.file('go'), '');
  await waitFor(() => second.exits.get(1));
  expect(harness.read('ran')).toBe('');
});

test('a signal reaches all processes of a job', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const stubborn = 'trap "" TERM; echo $BASHPID; while :; do sleep 0.05; done';
  await client.spawn(harness.job(1, `env -i setsid setsid bash -c '${stubborn}' & setsid sleep 600 & wait`));
  await waitFor(() => harness.read('out.1') !== '');
  await client.signal({ jid: 1, claim: 1, signal: 'SIGTERM', graceMs: 200 });
  const exit = await waitFor(() => exits.get(1));
  expect(exit).toMatchObject({ signal: 'SIGTERM', left_behind: 0 });
  expect(processStartTime(Number(harness.read('out.1')))).toBeUndefined();
});

test('the usage of a job and the processes that it leaves are reported', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const command = `x=$(head -c 20000000 /dev/zero | tr '\\0' x); for ((i = 0; i < 100000; i++)); do :; done; sleep 600 & echo $!`;
  await client.spawn(harness.job(1, command));
  const exit = await waitFor(() => exits.get(1));
  process.kill(Number(harness.read('out.1')), 'SIGKILL');
  expect(exit.max_rss).toBeGreaterThan(20_000_000);
  expect(exit.cpu_time).toBeGreaterThan(0.01);
  expect(exit.left_behind).toBe(1);
});

test('jobs get the umask and the soft limits of the environment request', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const base = { PATH: process.env['PATH'] ?? '', RQT_HARNESS: harness.root };
  await client.environment(base, { umask: 0o27, limits: { nofile: 77, core: 0 } });
  await client.spawn(harness.job(1, 'umask; ulimit -Sn; ulimit -Sc'));
  await waitFor(() => exits.get(1));
  expect(harness.read('out.1')).toBe('0027\n77\n0\n');
  const limits = { locks: 1 };
  await expect(client.environment(base, { limits })).rejects.toMatchObject({ facts: { code: 'INVALID' } });
});

test('a list waits for the results of earlier spawns', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.spawn(harness.job(1, FOREVER));
  const [starter = 0] = harness.starters();
  process.kill(starter, 'SIGSTOP');
  const spawned = client.spawn(harness.job(2, 'touch ran')).catch((error: RqError) => error.facts['code']);
  let isListed = false;
  const listed = client.list().finally(() => {
    isListed = true;
  });
  await client.ack([{ jid: 9, claim: 9 }]);
  expect(isListed).toBe(false);
  process.kill(starter, 'SIGCONT');
  expect(await spawned).toBe('CANCELLED');
  expect(await listed).toMatchObject([{ jid: 1, state: 'running' }]);
  writeFileSync(harness.file('go'), '');
  await waitFor(() => exits.get(1));
});

test('a starter ends with its runner if it has no jobs', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start(100);
  expect(harness.starters()).toHaveLength(1);
  client.close();
  await waitFor(() => harness.runners().length + harness.starters().length === 0);
  expect(existsSync(join(harness.directory, 'starter.sock'))).toBe(false);
});

test('a damaged journal is completed from the list of the starter', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const { pid } = await first.client.spawn(harness.job(1, FOREVER));
  await first.client.spawn(harness.job(2, 'until [ -e go.2 ]; do sleep 0.05; done; exit 9'));
  await harness.killRunner();
  const path = join(harness.directory, 'journal');
  const [header] = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, `${header}\ngarbage\n`);
  writeFileSync(harness.file('go.2'), '');
  const second = await harness.start();
  expect(second.client.hello.journal).not.toBe(first.client.hello.journal);
  const exit = { exit_status: 9, isLost: false };
  const listed = await waitFor(async () => {
    const list = await second.client.list();
    return list[1]?.state === 'exited' && list;
  });
  expect(listed).toMatchObject([
    { jid: 1, state: 'running', pid },
    { jid: 2, exit },
  ]);
  await harness.killRunner();
  const third = await harness.start();
  expect(await third.client.list()).toMatchObject([{ jid: 1, state: 'running' }, { jid: 2 }]);
  writeFileSync(harness.file('go'), '');
  expect(await waitFor(() => third.exits.get(1))).toMatchObject({ pid, exit_status: 7, isLost: false });
});

test.each([
  ['is missing', undefined, 'does not start (no such file or directory); run npm install again'],
  ['fails', '#!/bin/sh\nexit 3\n', 'it ended with exit status 3, see the lines above'],
  ['is for another machine', 'garbage', 'run npm install again'],
])('a runner whose starter %s says so and starts no job', async (_, starter, message) => {
  const harness = new RunnerHarness();
  const program = harness.file('runner.mjs');
  copyFileSync(harness.program, program);
  if (starter !== undefined) writeFileSync(harness.file('rq-starter'), starter, { mode: 0o755 });
  await expect(launchRunner(harness.directory, program)).rejects.toThrow(message);
  expect(harness.processes()).toEqual([]);
});

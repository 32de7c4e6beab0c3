import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { RqError } from '../../../src/job/errors.ts';
import { RunnerClient } from '../../../src/runner/client.ts';
import { launchRunner } from '../../../src/runner/launch.ts';
import { probeRunner } from '../../../src/runner/probe.ts';
import { MAX_LINE_BYTES } from '../../../src/runner/protocol/protocol.ts';
import { fakeRunner } from '../../support/fake-runner.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const FEEDER = fileURLToPath(new URL('../../fixtures/runner-client.mjs', import.meta.url));
const HELLO = '{"type":"hello","protocol":1}';
const feeders: ChildProcess[] = [];

afterEach(async () => {
  for (const feeder of feeders.splice(0)) await killed(feeder);
});

async function killed(feeder: ChildProcess): Promise<void> {
  if (feeder.exitCode !== null || feeder.signalCode !== null) return;
  const gone = once(feeder, 'exit');
  feeder.kill('SIGKILL');
  await gone;
}

/** A client that is a process of its own and says these lines; `told` is what the runner said to it. */
function rawClient(harness: RunnerHarness, ...lines: string[]): { process: ChildProcess; told: () => string } {
  const socket = join(harness.directory, 'runner.sock');
  const feeder = spawn(process.execPath, [FEEDER, socket, ...lines], { stdio: ['ignore', 'pipe', 'inherit'] });
  feeders.push(feeder);
  let told = '';
  feeder.stdout?.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  return { process: feeder, told: () => told };
}

test('After the client is killed a new one lists what runs and is told of its end', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const job = harness.job(1, 'until [ -e go ]; do sleep 0.05; done; exit 5');
  const feeder = rawClient(harness, HELLO, JSON.stringify({ id: 1, type: 'spawn', ...job }));
  await waitFor(() => feeder.told().includes('"pid"') && feeder.told().includes('"ok":true'));
  await killed(feeder.process);
  const { client, exits } = await harness.connect();
  expect(await client.list()).toMatchObject([{ jid: 1, state: 'running' }]);
  writeFileSync(harness.file('go'), '');
  expect(await waitFor(() => exits.get(1))).toMatchObject({ exit_status: 5 });
});

test('An exit while no client is connected is listed to the next one', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  await first.client.spawn(harness.job(1, 'until [ -e go ]; do sleep 0.05; done; echo end; exit 5'));
  first.client.close();
  writeFileSync(harness.file('go'), '');
  await waitFor(() => harness.read('out.1') !== '');
  const second = await harness.connect();
  await waitFor(async () => (await second.client.list())[0]?.state === 'exited' || second.exits.has(1));
  expect(await second.client.list()).toMatchObject([{ jid: 1, state: 'exited', exit: { exit_status: 5 } }]);
});

test('No exit falls between two clients', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const known = new Set<number>();
  for (let round = 0; round < 20; round += 1) {
    const { client, exits } = await harness.connect();
    const jids = Array.from({ length: 10 }, (_, index) => 1 + round * 10 + index);
    await Promise.all(jids.map((jid) => client.spawn(harness.job(jid, 'true'))));
    for (const attempt of await client.list()) if (attempt.state === 'exited') known.add(attempt.jid);
    // The next client replaces this one while jobs end.
    for (const jid of exits.keys()) known.add(jid);
  }
  const { client, exits } = await harness.connect();
  for (const attempt of await client.list()) if (attempt.state === 'exited') known.add(attempt.jid);
  await waitFor(() => {
    for (const jid of exits.keys()) known.add(jid);
    return known.size === 200;
  });
});

test('A new client replaces the old one, which is told so', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const second = await harness.connect();
  expect((await first.disconnected).facts['code']).toBe('REPLACED');
  await expect(first.client.list()).rejects.toMatchObject({ code: 'RUNNER', facts: { code: 'REPLACED' } });
  expect(await second.client.list()).toEqual([]);
});

test('Who only asks for the hello disturbs nobody', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start();
  expect(await probeRunner(harness.directory, 1000)).toEqual(client.hello);
  expect(await launchRunner(harness.directory, harness.program)).toEqual(client.hello);
  expect(await client.list()).toEqual([]);
});

test('A stopped runner makes calls and connects time out, and goes on unharmed', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const { client, disconnected } = await harness.connect(1000);
  const [pid = 0] = harness.runners();
  process.kill(pid, 'SIGSTOP');
  await expect(client.spawn(harness.job(1, 'true')))
    .rejects.toMatchObject({ code: 'RUNNER' })
    .catch(() => undefined);
  expect((await disconnected).facts['code']).toBe('TIMEOUT');
  await expect(harness.connect(300)).rejects.toMatchObject({ code: 'RUNNER', facts: { code: 'TIMEOUT' } });
  await expect(launchRunner(harness.directory, harness.program, { timeoutMs: 300 })).rejects.toThrow(
    'did not answer within 0.3 s',
  );
  process.kill(pid, 'SIGCONT');
  const later = await harness.connect();
  await waitFor(async () => (await later.client.list())[0]?.state === 'exited');
});

test('A client whose own event loop was kept busy longer than the timeout still gets its answers', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const { client } = await harness.connect(400);
  const listed = client.list();
  const endMs = performance.now() + 1500;
  while (performance.now() < endMs);
  expect(await listed).toEqual([]);
});

test('Without a runner, or after one was killed, connecting fails at once', async () => {
  const harness = new RunnerHarness();
  await expect(harness.connect()).rejects.toMatchObject({ code: 'RUNNER', facts: { code: 'NO_RUNNER' } });
  await harness.launch();
  await harness.killRunner();
  // The threads of a killed process let go of its socket one after the other.
  await waitFor(async () => {
    const error: unknown = await harness.connect(1000).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RUNNER' });
    return error instanceof RqError && error.facts['code'] === 'NO_RUNNER';
  });
  expect(existsSync(join(harness.directory, 'runner.sock'))).toBe(true);
});

test('Garbage ends the connection of who says it, and nothing else', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.spawn(harness.job(1, 'until [ -e go ]; do sleep 0.05; done'));
  for (const garbage of [
    '{"type":"spa',
    '[]',
    '"text"',
    '{"type":"list"}',
    '{"id":-1,"type":"list"}',
    'null',
    '\u0000',
  ]) {
    const feeder = rawClient(harness, HELLO, garbage === '\u0000' ? '' : garbage);
    await waitFor(() => feeder.told().includes('closed'));
    expect(feeder.told()).toContain('"type":"bye","code":"PROTOCOL"');
  }
  const stranger = rawClient(harness, '{"type":"hello","protocol":999}');
  await waitFor(() => stranger.told().includes('closed'));
  writeFileSync(harness.file('go'), '');
  const later = await harness.connect();
  await waitFor(async () => (await later.client.list())[0]?.state === 'exited');
  expect(exits.size).toBe(0);
});

test('A request with wrong fields is refused, and the connection goes on', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const job = harness.job(1, 'true');
  const wrong = [
    { type: 'spawn', ...job, jid: 'one' },
    { type: 'spawn', ...job, cwd: 'relative' },
    { type: 'spawn', ...job, stdout: '/a\0b' },
    { type: 'spawn', ...job, env: { 'A=B': 'c' } },
    { type: 'spawn', ...job, command: null },
    { type: 'signal', jid: 1, attempt: 1, signal: 'SIGNOTHING' },
    { type: 'signal', jid: 1, attempt: 1, signal: 'SIGTERM', grace_ms: -1 },
    { type: 'environment', env: { A: 1 } },
    { type: 'ack', attempts: [1] },
    { type: 'list', after: 7 },
  ].map((fields, index) => JSON.stringify({ id: index, ...fields }));
  const feeder = rawClient(
    harness,
    HELLO,
    ...wrong,
    '{"id":98,"type":"dance"}',
    '{"id":99,"type":"list","later":"field"}',
  );
  await waitFor(() => feeder.told().includes('"id":99'));
  const [, ...replies] = feeder
    .told()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(replies.map(({ error }) => error?.code)).toEqual([
    ...wrong.map(() => 'INVALID'),
    'UNKNOWN_REQUEST',
    undefined,
  ]);
  expect(replies.at(-1)).toEqual({ id: 99, ok: true, attempts: [], more: false });
});

test('Neither side sends or takes a line longer than four mebibytes', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const tooLong = client.spawn(harness.job(1, '\u0001'.repeat(1024 * 1024)));
  await expect(tooLong).rejects.toMatchObject({ code: 'RUNNER', facts: { code: 'TOO_LONG' } });
  await client.spawn(harness.job(2, `: ${'x'.repeat(1024 * 1024)}`));
  await waitFor(() => exits.get(2)?.exit_status === 0);
  const longLine = join(harness.work, 'long');
  writeFileSync(longLine, `${HELLO}\n${'x'.repeat(MAX_LINE_BYTES + 1)}`);
  const script = `const s = require('net').connect(process.argv[1]); s.pipe(process.stdout);
    s.on('error', () => {}); s.write(require('fs').readFileSync(process.argv[2]));`;
  const words = ['-e', script, join(harness.directory, 'runner.sock'), longLine];
  const feeder = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  feeders.push(feeder);
  let told = '';
  feeder.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  await waitFor(() => told.includes('"code":"TOO_LONG"'));
});

test('A server that is no runner is an error, never a crash', async () => {
  const hello = { type: 'hello', protocol: 1, version: '1', pid: 1, journal: 'a', boot: 'b' };
  const cases: [string, string[]][] = [
    ['PROTOCOL', ['HTTP/1.1 400 Bad Request\r\n\r\n']],
    ['PROTOCOL', ['{"type":"hello","protocol":1}\n']],
    ['PROTOCOL', [`${JSON.stringify({ ...hello, protocol: 2 })}\n`]],
    ['TOO_LONG', ['x'.repeat(MAX_LINE_BYTES + 1)]],
  ];
  for (const [code, lines] of cases) {
    const harness = new RunnerHarness();
    await fakeRunner(harness, lines);
    await expect(harness.connect(2000)).rejects.toMatchObject({ code: 'RUNNER', facts: { code } });
  }
  const harness = new RunnerHarness();
  await fakeRunner(harness, [`${JSON.stringify(hello)}\n`, '{"type":"exit","jid":1}\n']);
  const { disconnected } = await harness.connect();
  expect((await disconnected).facts['code']).toBe('PROTOCOL');
});

test('A burst of a thousand spawns and exits is told completely', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const jids = Array.from({ length: 1000 }, (_, index) => index + 1);
  const spawned = await Promise.all(jids.map((jid) => client.spawn(harness.job(jid, `exit ${jid % 256}`))));
  await waitFor(() => exits.size === 1000);
  expect(jids.filter((jid) => exits.get(jid)?.exit_status !== jid % 256)).toEqual([]);
  expect(jids.filter((jid) => exits.get(jid)?.pid !== spawned[jid - 1]?.pid)).toEqual([]);
});

test('A list of more attempts than go into one reply is complete and in order', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start();
  const jids = Array.from({ length: 4500 }, (_, index) => index + 1);
  await Promise.all(
    jids.map((jid) =>
      client.spawn(harness.job(4501 - jid, 'true', { cwd: '/nowhere', stdout: null, stderr: '/nowhere/x' })),
    ),
  );
  expect((await client.list()).map(({ jid }) => jid)).toEqual(jids);
});

test('Calls after close fail, and closing twice is harmless', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  let disconnects = 0;
  const client = await RunnerClient.connect({
    directory: harness.directory,
    onExit: () => undefined,
    onDisconnect: () => {
      disconnects += 1;
    },
  });
  const outstanding = client.list();
  client.close();
  client.close();
  await expect(outstanding).rejects.toMatchObject({ facts: { code: 'DISCONNECTED' } });
  await expect(client.list()).rejects.toMatchObject({ facts: { code: 'DISCONNECTED' } });
  expect(disconnects).toBe(0);
});

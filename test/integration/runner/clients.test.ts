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
import { MAX_LINE_BYTES } from '../../../src/runner/protocol/messages.ts';
import { fakeRunner } from '../../support/fake-runner.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const CLIENT = fileURLToPath(new URL('../../fixtures/runner-client.mjs', import.meta.url));
const HELLO = '{"type":"hello","protocol":2}';
const clients: ChildProcess[] = [];

afterEach(async () => {
  for (const peer of clients.splice(0)) await killed(peer);
});

async function killed(peer: ChildProcess): Promise<void> {
  if (peer.exitCode !== null || peer.signalCode !== null) return;
  const gone = once(peer, 'exit');
  peer.kill('SIGKILL');
  await gone;
}

/** Starts a client process that sends these lines. `received` is the text from the runner so far. */
function rawClient(harness: RunnerHarness, ...lines: string[]): { process: ChildProcess; received: () => string } {
  const socket = join(harness.directory, 'runner.sock');
  const peer = spawn(process.execPath, [CLIENT, socket, ...lines], { stdio: ['ignore', 'pipe', 'inherit'] });
  clients.push(peer);
  let received = '';
  peer.stdout?.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  return { process: peer, received: () => received };
}

test('after the client was killed, a new client lists the running jobs and receives their exits', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const job = harness.job(1, 'until [ -e go ]; do sleep 0.05; done; exit 5');
  const peer = rawClient(harness, HELLO, JSON.stringify({ id: 1, type: 'spawn', ...job }));
  await waitFor(() => peer.received().includes('"pid"') && peer.received().includes('"ok":true'));
  await killed(peer.process);
  const { client, exits } = await harness.connect();
  expect(await client.list()).toMatchObject([{ jid: 1, state: 'running' }]);
  writeFileSync(harness.file('go'), '');
  expect(await waitFor(() => exits.get(1))).toMatchObject({ exit_status: 5 });
});

test('an exit without a connected client is listed to the next client', async () => {
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

test('no exit is lost between two clients', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const known = new Set<number>();
  for (let round = 0; round < 20; round += 1) {
    const { client, exits } = await harness.connect();
    const jids = Array.from({ length: 10 }, (_, index) => 1 + round * 10 + index);
    await Promise.all(jids.map((jid) => client.spawn(harness.job(jid, 'true'))));
    for (const attempt of await client.list()) if (attempt.state === 'exited') known.add(attempt.jid);
    // The next client replaces this one while its jobs end.
    for (const jid of exits.keys()) known.add(jid);
  }
  const { client, exits } = await harness.connect();
  for (const attempt of await client.list()) if (attempt.state === 'exited') known.add(attempt.jid);
  await waitFor(() => {
    for (const jid of exits.keys()) known.add(jid);
    return known.size === 200;
  });
});

test('a new client replaces the old one, which is notified', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const second = await harness.connect();
  expect((await first.disconnected).facts['code']).toBe('REPLACED');
  await expect(first.client.list()).rejects.toMatchObject({ code: 'RUNNER', facts: { code: 'REPLACED' } });
  expect(await second.client.list()).toEqual([]);
});

test('a probe does not replace the client', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start();
  expect(await probeRunner(harness.directory, 1000)).toEqual(client.hello);
  expect(await launchRunner(harness.directory, harness.program)).toEqual(client.hello);
  expect(await client.list()).toEqual([]);
});

test('calls and connects to a stopped runner time out, and the runner works again when it continues', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const { client, disconnected } = await harness.connect(1000);
  const [pid = 0] = harness.runners();
  process.kill(pid, 'SIGSTOP');
  await expect(client.spawn(harness.job(1, 'touch ran')))
    .rejects.toMatchObject({ code: 'RUNNER' })
    .catch(() => undefined);
  expect((await disconnected).facts['code']).toBe('TIMEOUT');
  await expect(harness.connect(300)).rejects.toMatchObject({ code: 'RUNNER', facts: { code: 'TIMEOUT' } });
  await expect(launchRunner(harness.directory, harness.program, { timeoutMs: 300 })).rejects.toThrow(
    'did not answer within 0.3 s',
  );
  process.kill(pid, 'SIGCONT');
  const later = await harness.connect();
  // A list cancels attempts that have not begun.
  await waitFor(() => existsSync(harness.file('ran')));
  await waitFor(async () => (await later.client.list())[0]?.state === 'exited');
});

test('a client whose event loop was blocked longer than the timeout still gets its replies', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const { client } = await harness.connect(400);
  const listed = client.list();
  const endMs = performance.now() + 1500;
  while (performance.now() < endMs);
  expect(await listed).toEqual([]);
});

test('connecting fails at once without a runner, and after the runner was killed', async () => {
  const harness = new RunnerHarness();
  await expect(harness.connect()).rejects.toMatchObject({ code: 'RUNNER', facts: { code: 'NO_RUNNER' } });
  await harness.launch();
  await harness.killRunner();
  // The threads of a killed process release its socket one by one.
  await waitFor(async () => {
    const error: unknown = await harness.connect(1000).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RUNNER' });
    return error instanceof RqError && error.facts['code'] === 'NO_RUNNER';
  });
  expect(existsSync(join(harness.directory, 'runner.sock'))).toBe(true);
});

test('invalid lines end only the connection of the client that sends them', async () => {
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
    const peer = rawClient(harness, HELLO, garbage === '\u0000' ? '' : garbage);
    await waitFor(() => peer.received().includes('closed'));
    expect(peer.received()).toContain('"type":"bye","code":"PROTOCOL"');
  }
  const stranger = rawClient(harness, '{"type":"hello","protocol":999}');
  await waitFor(() => stranger.received().includes('closed'));
  writeFileSync(harness.file('go'), '');
  const later = await harness.connect();
  await waitFor(async () => (await later.client.list())[0]?.state === 'exited');
  expect(exits.size).toBe(0);
});

test('a request with invalid fields is refused, and the connection stays open', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const job = harness.job(1, 'true');
  const wrong = [
    { type: 'spawn', ...job, jid: 'one' },
    { type: 'spawn', ...job, cwd: 'relative' },
    { type: 'spawn', ...job, stdout: '/a\0b' },
    { type: 'spawn', ...job, env: { 'A=B': 'c' } },
    { type: 'spawn', ...job, command: null },
    { type: 'signal', jid: 1, claim: 1, signal: 'SIGNOTHING' },
    { type: 'signal', jid: 1, claim: 1, signal: 'SIGTERM', grace_ms: -1 },
    { type: 'environment', env: { A: 1 } },
    { type: 'ack', attempts: [1] },
    { type: 'list', after: 7 },
  ].map((fields, index) => JSON.stringify({ id: index, ...fields }));
  const peer = rawClient(
    harness,
    HELLO,
    ...wrong,
    '{"id":98,"type":"dance"}',
    '{"id":99,"type":"list","later":"field"}',
  );
  await waitFor(() => peer.received().includes('"id":99'));
  const [, ...replies] = peer
    .received()
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

test('neither side sends or accepts a line longer than 4 MiB', async () => {
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
  const nodeArguments = ['-e', script, join(harness.directory, 'runner.sock'), longLine];
  const peer = spawn(process.execPath, nodeArguments, { stdio: ['ignore', 'pipe', 'inherit'] });
  clients.push(peer);
  let received = '';
  peer.stdout.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  await waitFor(() => received.includes('"code":"TOO_LONG"'));
});

test('a server that is not a runner causes an error, not a crash', async () => {
  const hello = { type: 'hello', protocol: 2, version: '1', pid: 1, journal: 'a', boot: 'b' };
  const cases: [string, string[]][] = [
    ['PROTOCOL', ['HTTP/1.1 400 Bad Request\r\n\r\n']],
    ['PROTOCOL', ['{"type":"hello","protocol":2}\n']],
    ['PROTOCOL', [`${JSON.stringify({ ...hello, protocol: 9 })}\n`]],
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

test('all exits of a burst of a thousand spawns are received', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const jids = Array.from({ length: 1000 }, (_, index) => index + 1);
  const spawned = await Promise.all(jids.map((jid) => client.spawn(harness.job(jid, `exit ${jid % 256}`))));
  await waitFor(() => exits.size === 1000);
  expect(jids.filter((jid) => exits.get(jid)?.exit_status !== jid % 256)).toEqual([]);
  expect(jids.filter((jid) => exits.get(jid)?.pid !== spawned[jid - 1]?.pid)).toEqual([]);
});

test('a list that needs several replies is complete and in order', async () => {
  const harness = new RunnerHarness();
  const { client } = await harness.start();
  const jids = Array.from({ length: 4500 }, (_, index) => index + 1);
  const spawn = (jid: number): Promise<unknown> =>
    client.spawn(harness.job(jid, 'true', { cwd: '/nowhere', stdout: null, stderr: '/nowhere/x' }));
  // A spawn that waits for longer than 10 s is cancelled.
  for (let last = jids.length; last > 0; last -= 500) {
    await Promise.all(Array.from({ length: 500 }, (_, index) => spawn(last - index)));
  }
  expect((await client.list()).map(({ jid }) => jid)).toEqual(jids);
});

test('calls after close fail, and a second close does nothing', async () => {
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

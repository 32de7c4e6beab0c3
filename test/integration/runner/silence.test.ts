import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeRunner, HELLO_LINE } from '../../support/fake-runner.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const TIMED_OUT = { code: 'RUNNER', facts: { code: 'TIMEOUT' } };

test('connecting times out if the server accepts but sends nothing', async () => {
  const harness = new RunnerHarness();
  await fakeRunner(harness, []);
  await expect(harness.connect(300)).rejects.toMatchObject(TIMED_OUT);
});

test('every call times out and the connection ends if the server never replies', async () => {
  const harness = new RunnerHarness();
  await fakeRunner(harness, [HELLO_LINE]);
  const { client, disconnected } = await harness.connect(300);
  const calls = [client.list(), client.spawn(harness.job(1, 'true')), client.shutdown()];
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes).toMatchObject(calls.map(() => ({ status: 'rejected', reason: TIMED_OUT })));
  expect(await disconnected).toMatchObject(TIMED_OUT);
  await expect(client.list()).rejects.toMatchObject(TIMED_OUT);
});

test('a call times out even if the server sends events but no reply', async () => {
  const harness = new RunnerHarness();
  await fakeRunner(harness, [HELLO_LINE], (socket) => {
    const timer = setInterval(() => socket.write('{"type":"news"}\n'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  const { client } = await harness.connect(300);
  await expect(client.list()).rejects.toMatchObject(TIMED_OUT);
});

test('calls time out if the server stops reading, even if they could not be sent', async () => {
  const harness = new RunnerHarness();
  await fakeRunner(harness, [HELLO_LINE], (socket) => socket.pause());
  const { client, disconnected } = await harness.connect(300);
  const command = 'x'.repeat(1024 * 1024);
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map((jid) => client.spawn(harness.job(jid, command))));
  expect(outcomes).toMatchObject(Array(4).fill({ status: 'rejected', reason: TIMED_OUT }));
  expect(await disconnected).toMatchObject(TIMED_OUT);
});

test('a client that sends requests and reads no replies is disconnected, and the next client is served', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const socket = connect(join(harness.directory, 'runner.sock'));
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  socket.write('{"type":"hello","protocol":2}\n');
  for (let id = 1; id <= 300_000; id++) socket.write(`{"id":${id},"type":"${'x'.repeat(40)}"}\n`);
  await waitFor(() => readFileSync(join(harness.directory, 'runner.log'), 'utf8').includes('NOT_READING'));
  socket.destroy();
  const { client } = await harness.connect();
  expect(await client.list()).toEqual([]);
});

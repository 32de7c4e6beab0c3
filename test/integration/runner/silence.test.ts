import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeRunner, HELLO_LINE } from '../../support/fake-runner.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const TIMED_OUT = { code: 'RUNNER', facts: { code: 'TIMEOUT' } };

test('Who takes the connection and says nothing makes connecting time out', async () => {
  const harness = new RunnerHarness();
  await fakeRunner(harness, []);
  await expect(harness.connect(300)).rejects.toMatchObject(TIMED_OUT);
});

test('Who never answers makes every call time out, and ends the connection', async () => {
  const harness = new RunnerHarness();
  await fakeRunner(harness, [HELLO_LINE]);
  const { client, disconnected } = await harness.connect(300);
  const calls = [client.list(), client.spawn(harness.job(1, 'true')), client.shutdown()];
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes).toMatchObject(calls.map(() => ({ status: 'rejected', reason: TIMED_OUT })));
  expect(await disconnected).toMatchObject(TIMED_OUT);
  await expect(client.list()).rejects.toMatchObject(TIMED_OUT);
});

test('Who tells much and answers nothing makes a call time out all the same', async () => {
  const harness = new RunnerHarness();
  await fakeRunner(harness, [HELLO_LINE], (socket) => {
    const timer = setInterval(() => socket.write('{"type":"news"}\n'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  const { client } = await harness.connect(300);
  await expect(client.list()).rejects.toMatchObject(TIMED_OUT);
});

test('Who stops reading makes calls time out, though what they send does not go out', async () => {
  const harness = new RunnerHarness();
  await fakeRunner(harness, [HELLO_LINE], (socket) => socket.pause());
  const { client, disconnected } = await harness.connect(300);
  const command = 'x'.repeat(1024 * 1024);
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map((jid) => client.spawn(harness.job(jid, command))));
  expect(outcomes).toMatchObject(Array(4).fill({ status: 'rejected', reason: TIMED_OUT }));
  expect(await disconnected).toMatchObject(TIMED_OUT);
});

test('A client that asks and does not read is dropped, and the next one is served', async () => {
  const harness = new RunnerHarness();
  await harness.launch();
  const socket = connect(join(harness.directory, 'runner.sock'));
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  socket.write('{"type":"hello","protocol":1}\n');
  for (let id = 1; id <= 300_000; id++) socket.write(`{"id":${id},"type":"${'x'.repeat(40)}"}\n`);
  await waitFor(() => readFileSync(join(harness.directory, 'runner.log'), 'utf8').includes('STUCK'));
  socket.destroy();
  const { client } = await harness.connect();
  expect(await client.list()).toEqual([]);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeStarter, replyToHello, type Send } from '../../support/fake-starter.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

/** A runner whose starter replies to `start` as given. */
async function startWith(
  harness: RunnerHarness,
  onStart: (name: string, send: Send) => void,
): ReturnType<RunnerHarness['start']> {
  await fakeStarter(harness, (request, send) => {
    replyToHello(request, send);
    if (request[0] === 'start') onStart(request[1] ?? '', send);
  });
  return await harness.start();
}

test('an attempt whose directory does not become available is refused with NOT_READY and can be spawned again', async () => {
  const harness = new RunnerHarness();
  const { client } = await startWith(harness, (name, send) => send('cancelled', name, 'timeout'));
  const message = `the directory ${harness.work} did not become available within 60 s`;
  for (let times = 0; times < 2; times++) {
    const refused = client.spawn(harness.job(1, 'true'));
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining(message),
      facts: { code: 'NOT_READY' },
    });
  }
  expect(await client.list()).toEqual([]);
});

test('a spawn that waits for a directory does not delay other spawns, and its client stays connected', async () => {
  const harness = new RunnerHarness();
  let replies = 0;
  await fakeStarter(harness, (request, send) => {
    const [type, name = ''] = request;
    replyToHello(request, send);
    if (type === 'start' && name === '2.1') send('started', name, '4711', '1', '1.000');
    if (type === 'cancel') send('cancelled', name, 'request');
    if (type === 'ack') replies += 1;
  });
  await harness.launch();
  const { client } = await harness.connect(300);
  const startMs = performance.now();
  const slow = client.spawn(harness.job(1, 'true')).catch(({ facts }) => facts.code);
  await waitFor(() => performance.now() - startMs > 1000);
  expect(await client.spawn(harness.job(2, 'true'))).toMatchObject({ pid: 4711 });
  await client.cancel([{ jid: 1, claim: 1 }]);
  expect(await slow).toBe('CANCELLED');
  expect(replies).toBe(0);
});

test.each([
  [['fork', '11'], 'shortage', 'cannot start a process: resource temporarily unavailable'],
  [['record', '28'], 'shortage', 'cannot record the start of the job: no space left on device'],
  [['stdout', '28'], 'shortage', 'cannot open stdout WORK/out.1: no space left on device'],
  [['stdout', '0'], 'failed', 'cannot open stdout WORK/out.1: not a regular file'],
  [['stdin', '40'], 'failed', 'cannot open stdin /dev/null: a symbolic link'],
  [['directory', '2'], 'failed', 'cannot enter the directory WORK: no such file or directory'],
  [['directory', '116'], 'shortage', 'cannot enter the directory WORK: stale file handle'],
  [['program', '7'], 'failed', 'cannot start bash: argument list too long'],
  [['program', '12'], 'shortage', 'cannot start bash: not enough memory'],
])('a start that failed at %s is a %s, and its reason is %s', async ([step = '', errno = ''], kind, reason) => {
  const harness = new RunnerHarness();
  const { client, exits } = await startWith(harness, (name, send) => send('failed', name, step, errno));
  expect(await client.spawn(harness.job(1, 'true'))).toMatchObject({ pid: null });
  const exit = await waitFor(() => exits.get(1));
  expect(exit.not_started).toBe(kind);
  expect(exit.reason?.toLowerCase()).toBe(reason.replace('WORK', harness.work).toLowerCase());
});

test('exits are acknowledged to the starter after they are in the journal, and known ends again', async () => {
  const harness = new RunnerHarness();
  const acknowledged: string[] = [];
  const end = ['ended', '1.1', '256', '2.000', '4096', '1000', '500000', '3', 'user'];
  await fakeStarter(harness, (request, send) => {
    const [type, name = '', ...others] = request;
    replyToHello(request, send, ['started', '1.1', '4711', '1', '1.000'], end);
    if (type === 'ack') {
      acknowledged.push(name, ...others);
      expect(readFileSync(join(harness.directory, 'journal'), 'utf8')).toContain('"type":"exit","jid":1,');
    }
  });
  const first = await harness.start();
  const exit = { exit_status: 1, max_rss: 4096, cpu_time: 0.501, left_behind: 3, elapsed: 0.001, isLost: false };
  expect(await first.client.list()).toMatchObject([{ jid: 1, exit }]);
  const [attempt] = await first.client.list();
  expect(attempt?.state === 'exited' && attempt.exit.reason).toContain('changed their user');
  await waitFor(() => acknowledged.length === 1);
  await harness.killRunner();
  await harness.start();
  await waitFor(() => acknowledged.length === 2);
  expect(acknowledged).toEqual(['1.1', '1.1']);
});

test('a runner that receives an invalid frame exits, and says so in its log', async () => {
  const harness = new RunnerHarness();
  await fakeStarter(harness, (request, send, socket) => {
    replyToHello(request, send);
    if (request[0] === 'start') socket.write(Buffer.from('ffffffff', 'hex'));
  });
  const { client, disconnected } = await harness.start();
  await expect(client.spawn(harness.job(1, 'true'))).rejects.toMatchObject({ facts: { code: 'DISCONNECTED' } });
  await disconnected;
  await waitFor(() => harness.runners().length === 0);
  expect(readFileSync(join(harness.directory, 'runner.log'), 'utf8')).toMatch(/starter_lost.*a frame has \d+ bytes/);
});

test('a runner exits if the starter does not answer', async () => {
  const harness = new RunnerHarness();
  await fakeStarter(harness, () => undefined);
  await expect(harness.launch()).rejects.toThrow(/the starter at .* did not answer within 10 s/);
});

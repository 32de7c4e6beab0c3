import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bootId } from '../../../src/job/host.ts';
import { processStartTime } from '../../../src/job/process.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const UNKNOWN = 'the starter was killed, so the exit status is unknown';

/** A command line that runs until the file `go.JID` exists. */
function waiting(jid: number): string {
  return `echo ready; until [ -e go.${jid} ]; do sleep 0.05; done; exit 7`;
}

function prepareJournal(harness: RunnerHarness, lines: readonly object[], boot = bootId()): void {
  mkdirSync(harness.directory, { mode: 0o700 });
  const text = [{ journal: 'earlier', boot }, ...lines].map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(join(harness.directory, 'journal'), text.join(''), { mode: 0o600 });
}

/** Writes the start records of an earlier starter (docs/starter-protocol.md). */
function prepareRecords(harness: RunnerHarness, journal: string, names: readonly string[]): void {
  const records = [journal, ...names, ''].map((name) => `${name.padEnd(39)}\n`);
  writeFileSync(join(harness.directory, 'begun'), records.join(''), { mode: 0o600 });
}

function spawnEntry(jid: number): object {
  const monotonic_ms = Number(process.hrtime.bigint()) / 1e6;
  return { type: 'spawn', jid, claim: 1, started: new Date().toISOString(), monotonic_ms };
}

test('jobs of a killed runner continue, and the next runner reports their exit statuses', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const { pid, started } = await first.client.spawn(harness.job(1, waiting(1)));
  await waitFor(() => harness.read('out.1') !== '');
  await harness.killRunner();
  expect((await first.disconnected).facts['code']).toBe('DISCONNECTED');
  const second = await harness.start();
  expect(second.client.hello.journal).toBe(first.client.hello.journal);
  expect(await second.client.list()).toMatchObject([{ jid: 1, claim: 1, state: 'running', pid }]);
  writeFileSync(harness.file('go.1'), '');
  const exit = await waitFor(() => second.exits.get(1));
  expect(exit).toMatchObject({ pid, started, exit_status: 7, signal: null, reason: null, isLost: false });
  expect(exit.elapsed).toBeGreaterThan(0);
  expect(exit.max_rss).toBeGreaterThan(1_000_000);
  expect(exit.cpu_time).toBeGreaterThan(0);
});

test('the exit status and usage of a job that ends while there is no runner are reported', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const { pid } = await first.client.spawn(harness.job(1, waiting(1)));
  await waitFor(() => harness.read('out.1') !== '');
  await harness.killRunner();
  writeFileSync(harness.file('go.1'), '');
  await waitFor(() => processStartTime(pid ?? 0) === undefined);
  const second = await harness.start();
  const exit = { pid, exit_status: 7, signal: null, reason: null, isLost: false, left_behind: 0 };
  expect(await second.client.list()).toMatchObject([{ jid: 1, claim: 1, state: 'exited', exit }]);
});

test('a job of an earlier runner is killed after the grace period', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  await first.client.spawn(harness.job(1, 'trap "" TERM; echo ready; while :; do sleep 0.1; done'));
  await waitFor(() => harness.read('out.1') !== '');
  await harness.killRunner();
  const second = await harness.start();
  await second.client.signal({ jid: 1, claim: 1, signal: 'SIGTERM', graceMs: 200 });
  expect(await waitFor(() => second.exits.get(1))).toMatchObject({ signal: 'SIGKILL', isLost: false });
  const again = second.client.signal({ jid: 1, claim: 1, signal: 'SIGTERM' });
  await expect(again).rejects.toMatchObject({ facts: { code: 'NO_ATTEMPT' } });
});

test('the script of a long command is kept until the job of an earlier runner ends', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  await first.client.spawn(harness.job(1, `${waiting(1)}\n: ${'x'.repeat(200_000)}`));
  await waitFor(() => harness.read('out.1') !== '');
  await harness.killRunner();
  writeFileSync(join(harness.directory, 'scripts', '99.1'), 'left behind by a killed runner');
  const second = await harness.start();
  // Exits before the runner has received the hello of the client are not sent as events.
  expect(await second.client.list()).toMatchObject([{ jid: 1, state: 'running' }]);
  const script = join(harness.directory, 'scripts', '1.1');
  expect(readFileSync(script).length).toBeGreaterThan(200_000);
  expect(() => readFileSync(join(harness.directory, 'scripts', '99.1'))).toThrow('ENOENT');
  writeFileSync(harness.file('go.1'), '');
  await waitFor(() => second.exits.get(1));
  expect(() => readFileSync(script)).toThrow('ENOENT');
});

test('an attempt in the journal without a process has an unknown end and is not started again', async () => {
  const harness = new RunnerHarness();
  prepareJournal(harness, [spawnEntry(5)]);
  const { client } = await harness.start();
  const reason = 'the starter was killed while it started the job; the job may have run';
  expect(await client.list()).toMatchObject([{ jid: 5, state: 'exited', exit: { pid: null, reason, isLost: true } }]);
  await expect(client.spawn(harness.job(5, 'touch ran'))).rejects.toMatchObject({ facts: { code: 'ATTEMPT_KNOWN' } });
  expect(harness.read('ran')).toBe('');
});

test('an attempt in the journal without a pid is found by its environment', async () => {
  const harness = new RunnerHarness();
  prepareJournal(harness, [spawnEntry(5)]);
  const environment = { ...process.env, RQT_HARNESS: harness.root, RQ_ATTEMPT_ID: 'earlier.5.1' };
  // The child of the job has the same environment but is not a session leader.
  const job = spawn('bash', ['-c', 'sleep 600 & wait'], { detached: true, stdio: 'ignore', env: environment });
  const { client, exits } = await harness.start();
  expect(await client.list()).toMatchObject([{ jid: 5, state: 'running', pid: job.pid }]);
  await client.signal({ jid: 5, claim: 1, signal: 'SIGKILL' });
  expect(await waitFor(() => exits.get(5))).toMatchObject({ pid: job.pid, reason: UNKNOWN, isLost: true });
});

test('another process that reuses the pid is not taken for the job', async () => {
  const harness = new RunnerHarness();
  const stranger = { type: 'started', jid: 5, claim: 1, pid: process.pid, start_time: 1 };
  prepareJournal(harness, [spawnEntry(5), stranger]);
  const { client } = await harness.start();
  expect(await client.list()).toMatchObject([{ jid: 5, state: 'exited', exit: { reason: UNKNOWN } }]);
});

test('attempts of an earlier boot without an exit are discarded, and the new journal has another id', async () => {
  const harness = new RunnerHarness();
  prepareJournal(harness, [spawnEntry(5)], 'another-boot');
  const { client } = await harness.start();
  expect(client.hello.journal).not.toBe('earlier');
  expect(client.hello.boot).toBe(bootId());
  expect(await client.list()).toEqual([]);
});

test('an incomplete last line of the journal is ignored', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  await first.client.spawn(harness.job(1, 'exit 3'));
  await waitFor(() => first.exits.get(1));
  await harness.killRunner();
  appendFileSync(join(harness.directory, 'journal'), '{"type":"spawn","jid":2,"att');
  const second = await harness.start();
  expect(second.client.hello.journal).toBe(first.client.hello.journal);
  expect(await second.client.list()).toMatchObject([{ jid: 1, state: 'exited', exit: { exit_status: 3 } }]);
  await second.client.spawn(harness.job(2, 'exit 4'));
  expect(await waitFor(() => second.exits.get(2))).toMatchObject({ exit_status: 4 });
});

test('acknowledged attempts are removed, and stay removed after a kill of the runner', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  for (const jid of [1, 2, 3]) await first.client.spawn(harness.job(jid, `exit ${jid}`));
  await waitFor(() => first.exits.size === 3);
  await first.client.ack([
    { jid: 1, claim: 1 },
    { jid: 3, claim: 1 },
    { jid: 77, claim: 1 },
  ]);
  expect(await first.client.list()).toMatchObject([{ jid: 2 }]);
  await harness.killRunner();
  const second = await harness.start();
  expect(await second.client.list()).toMatchObject([{ jid: 2, exit: { exit_status: 2 } }]);
});

test('acknowledged attempts do not make the journal grow', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const jids = Array.from({ length: 1200 }, (_, index) => index + 1);
  await Promise.all(jids.map((jid) => client.spawn(harness.job(jid, 'true', { cwd: '/nowhere' }))));
  await waitFor(() => exits.size === jids.length);
  await client.spawn(harness.job(5000, waiting(5000)));
  const length = (): number => readFileSync(join(harness.directory, 'journal')).length;
  expect(length()).toBeGreaterThan(100_000);
  await client.ack(jids.map((jid) => ({ jid, claim: 1 })));
  expect(length()).toBeLessThan(1000);
  writeFileSync(harness.file('go.5000'), '');
  expect(await waitFor(() => exits.get(5000))).toMatchObject({ exit_status: 7 });
  await harness.killRunner();
  rmSync(harness.file('go.5000'));
  const second = await harness.start();
  expect(await second.client.list()).toMatchObject([{ jid: 5000, exit: { exit_status: 7 } }]);
});

test('after kills at any time, no attempt has run twice and each one that ran is in the journal', async () => {
  const harness = new RunnerHarness();
  let next = 1;
  for (let round = 0; round < 15; round += 1) {
    const { client, disconnected } = await harness.start();
    const first = next;
    for (; next < first + 60; next += 1) {
      client.spawn(harness.job(next, `echo ${next} >> ran`, { stdout: null, stderr: null })).catch(() => undefined);
    }
    await waitFor(() => harness.read('ran').includes(`\n${first + 1}\n`) || harness.read('ran').includes(`${first}\n`));
    await harness.killRunner();
    await disconnected;
  }
  const { client } = await harness.start();
  await waitFor(async () => (await client.list()).every(({ state }) => state === 'exited'));
  const ran = harness.read('ran').trim().split('\n');
  const known = new Set((await client.list()).map(({ jid }) => String(jid)));
  expect(new Set(ran).size).toBe(ran.length);
  expect(ran.filter((jid) => !known.has(jid))).toEqual([]);
});

test('an attempt in the journal was never started if there is no record of its start', async () => {
  const harness = new RunnerHarness();
  prepareJournal(harness, [spawnEntry(1), spawnEntry(2)]);
  prepareRecords(harness, 'earlier', ['2.1']);
  const { client } = await harness.start();
  expect(client.hello.journal).toBe('earlier');
  const listed = await client.list();
  expect(listed).toMatchObject([{ jid: 2, state: 'exited', exit: { isLost: true } }]);
});

test('records of starts that belong to another journal are ignored', async () => {
  const harness = new RunnerHarness();
  prepareJournal(harness, [spawnEntry(1)]);
  prepareRecords(harness, 'another', []);
  const { client } = await harness.start();
  expect(await client.list()).toMatchObject([{ jid: 1, state: 'exited', exit: { isLost: true } }]);
});

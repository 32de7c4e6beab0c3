import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processStartTime } from '../../../src/job/process.ts';
import type { SpawnRequest } from '../../../src/runner/protocol/messages.ts';
import { RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const MIB = 1024 ** 2;
const UNTIL_GO = 'until [ -e go ]; do sleep 0.05; done';

/** A call of Python that writes its standard output when `code` has run, and then waits for the file `go`. */
function python(code: string): string {
  const wait = 'import os, time\\nwhile not os.path.exists("go"): time.sleep(0.05)';
  return `python3 -c $'${code}\\nprint("ready", flush=True)\\n${wait}'`;
}

function limited(harness: RunnerHarness, jid: number, command: string, mebibytes: number): SpawnRequest {
  return harness.job(jid, command, { limits: { memoryBytes: mebibytes * MIB } });
}

test('a job whose child exceeds its memory limit is ended, and its neighbours continue', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.spawn(harness.job(2, `${python('x = bytearray(300_000_000)')}; exit 4`));
  await waitFor(() => harness.read('out.2') !== '');
  await client.spawn(limited(harness, 1, `trap : TERM; ${python('x = bytearray(1_000_000_000)')}; exit 0`, 200));
  const exit = await waitFor(() => exits.get(1));
  expect(exit).toMatchObject({ exit_status: 0, signal: null, limit: 'memory', isLost: false });
  expect(exit.reason).toMatch(/^memory limit of 200M: used \d+(\.\d)?[MG]$/);
  expect(exit.max_rss).toBeGreaterThan(200 * MIB);
  expect(exits.has(2)).toBe(false);
  writeFileSync(harness.file('go'), '');
  expect(await waitFor(() => exits.get(2))).toMatchObject({ exit_status: 4, reason: null, limit: null });
});

test('the memory limit applies to the sum of all processes, and the usage includes it', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const child = python('x = bytearray(60_000_000)');
  await client.spawn(limited(harness, 1, `${child} & ${child} & ${child} & wait`, 150));
  const exit = await waitFor(() => exits.get(1));
  expect(exit).toMatchObject({ signal: 'SIGTERM', limit: 'memory' });
  expect(exit.max_rss).toBeGreaterThan(150 * MIB);
});

test('a peak that no sample saw makes a job exceed its memory limit', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const command = `echo ready; ${UNTIL_GO}; python3 -c 'bytearray(300_000_000)'; exit 0`;
  const { pid } = await first.client.spawn(limited(harness, 1, command, 64));
  await waitFor(() => harness.read('out.1') !== '');
  // Without a runner, there are no samples.
  await harness.killRunner();
  writeFileSync(harness.file('go'), '');
  await waitFor(() => processStartTime(Number(pid)) === undefined);
  const { client } = await harness.start();
  const reason = expect.stringMatching(/^memory limit of 64M: used (2[89]|30)\d\.\dM$/);
  expect(await client.list()).toMatchObject([{ exit: { exit_status: 0, signal: null, limit: 'memory', reason } }]);
});

test('pages of files and pages that processes share do not count several times', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  const map = 'f = open("map", "w+b"); f.truncate(300_000_000); m = mmap.mmap(f.fileno(), 0)';
  const touch = 'n = sum(m[i] for i in range(0, len(m), 4096))';
  await client.spawn(limited(harness, 1, `${python(`import mmap\\n${map}\\n${touch}`)}; exit 5`, 100));
  const fork = 'import os\\nx = bytearray(60_000_000)\\nfor i in range(3):\\n  if os.fork() == 0: break';
  await client.spawn(limited(harness, 2, `${python(fork)}; exit 6`, 150));
  await waitFor(() => harness.read('out.1') !== '' && harness.read('out.2').split('\n').length > 4);
  // The samples that find this job above its limit also contain the others.
  for (const jid of [3, 4]) {
    await client.spawn(limited(harness, jid, python('x = bytearray(100_000_000)'), 64));
    expect(await waitFor(() => exits.get(jid))).toMatchObject({ limit: 'memory' });
  }
  writeFileSync(harness.file('go'), '');
  expect(await waitFor(() => exits.get(1))).toMatchObject({ exit_status: 5, reason: null, limit: null });
  const exit = await waitFor(() => exits.get(2));
  expect(exit).toMatchObject({ exit_status: 6, reason: null, limit: null });
  // The samples, which count such pages several times, are part of the usage.
  expect(exit.max_rss).toBeGreaterThan(150 * MIB);
  // The forked processes end after the job.
  await waitFor(() => harness.processes().length === 2);
});

test('a memory limit is enforced by the next runner if the runner is killed', async () => {
  const harness = new RunnerHarness();
  const first = await harness.start();
  const command = `echo ready; until [ -e begin ]; do sleep 0.05; done; ${python('x = bytearray(300_000_000)')}`;
  await first.client.spawn(limited(harness, 1, command, 64));
  await waitFor(() => harness.read('out.1') !== '');
  await harness.killRunner();
  const second = await harness.start();
  writeFileSync(harness.file('begin'), '');
  const exit = await waitFor(() => second.exits.get(1));
  expect(exit.reason).toMatch(/^memory limit of 64M: used \d+\.\dM$/);
});

test('jobs get an oom_score_adj, so that the kernel ends them before the programs of users', async () => {
  const harness = new RunnerHarness();
  const { client, exits } = await harness.start();
  await client.spawn(harness.job(1, 'cat /proc/self/oom_score_adj'));
  await waitFor(() => exits.get(1));
  expect(Number(harness.read('out.1'))).toBe(500);
  const [runner] = harness.runners();
  expect(Number(readFileSync(join('/proc', String(runner), 'oom_score_adj'), 'utf8'))).toBeLessThan(500);
});

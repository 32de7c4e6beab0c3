import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readGenerations } from '../../../src/lease/generations.ts';
import { submitJobs } from '../../../src/queue/jobs/submit.ts';
import { openQueue } from '../../../src/queue/open.ts';
import { transaction } from '../../../src/queue/transaction/transaction.ts';
import { bundleFixture, FixtureProcess } from '../../support/fixture.ts';
import { countTagged, integrity, newQueue, submission } from '../../support/queue.ts';
import { waitFor } from '../../support/wait-for.ts';

const processes: FixtureProcess[] = [];

afterEach(async () => {
  for (const each of processes.splice(0)) await each.kill();
});

async function writer(words: string[], environment: NodeJS.ProcessEnv = {}): Promise<FixtureProcess> {
  const started = new FixtureProcess(await bundleFixture('writer'), words, environment);
  processes.push(started);
  return started;
}

test('a process that was stopped inside a transaction past its lease starts over', async () => {
  const queue = await newQueue({ staleMs: 1_000 });
  const stopped = await writer(['stop', queue.directory, 'late', '1'], { STALE_MS: '1000' });
  expect(await stopped.message()).toEqual({ stopping: true });
  const committed = stopped.message();
  // The stopped process still holds SQLite's lock, until it continues or dies.
  const other = submitJobs(queue, [submission('echo between', { tag: 'between' })]);
  await waitFor(() => readGenerations(queue.directory).highest > 1);
  stopped.process.kill('SIGCONT');
  expect((await other).first).toBeGreaterThan(0);
  expect(await committed).toMatchObject({ committed: true, runs: 2 });
  expect(await countTagged(queue, 'between')).toBe(1);
  expect(await countTagged(queue, 'late')).toBe(1);
  expect(await integrity(queue)).toBe('ok');
  queue.close();
});

test('the record of an activity states whether a change may be committed', async () => {
  const queue = await newQueue({ staleMs: 500 });
  const fails = transaction(queue, () => {
    throw new Error('it failed');
  });
  await expect(fails).rejects.toThrow('it failed');
  expect(queue.activity.mayHaveChanged).toBe(false);
  // Rolling back the journal of another writer is not a change.
  const dying = await writer(['spill', queue.directory, 'dead', '3000']);
  await expect(dying.message()).rejects.toThrow('SIGKILL');
  expect(await countTagged(queue, 'dead')).toBe(0);
  expect(queue.activity.mayHaveChanged).toBe(false);
  await submitJobs(queue, [submission('true')]);
  expect(queue.activity.mayHaveChanged).toBe(true);
  queue.close();
});

test('the next reader and writer see nothing of a writer that died after its pages were spilled', async () => {
  const queue = await newQueue({ staleMs: 500 });
  await submitJobs(queue, [submission('echo first', { tag: 'first' })]);
  for (let round = 0; round < 5; round++) {
    const dying = await writer(['spill', queue.directory, 'dead', '3000']);
    await expect(dying.message()).rejects.toThrow('SIGKILL');
    expect(existsSync(join(queue.directory, 'db-journal'))).toBe(true);
    if (round % 2 === 0) expect(await countTagged(queue, 'dead')).toBe(0);
    await submitJobs(queue, [submission('echo next', { tag: 'next' })]);
    expect(await countTagged(queue, 'dead')).toBe(0);
    expect(await countTagged(queue, 'next')).toBe(round + 1);
    expect(await integrity(queue)).toBe('ok');
  }
  queue.close();
});

test('the lease of a killed process of this host is broken at once', async () => {
  const queue = await newQueue({ staleMs: 600_000, lockTimeoutMs: 60_000 });
  const dying = await writer(['spill', queue.directory, 'dead', '3000'], { STALE_MS: '600000' });
  await expect(dying.message()).rejects.toThrow('SIGKILL');
  await submitJobs(queue, [submission('echo next', { tag: 'next' })]);
  expect([await countTagged(queue, 'dead'), await countTagged(queue, 'next')]).toEqual([0, 1]);
  queue.close();
});

test('work that throws leaves the queue unchanged and its lease free', async () => {
  const queue = await newQueue();
  const failing = transaction(queue, ({ connection }) => {
    connection.run("INSERT INTO attributes VALUES ('a', 'b')");
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  await transaction(queue, ({ connection }) => {
    expect(connection.get("SELECT 1 FROM attributes WHERE name = 'a'")).toBeUndefined();
  });
  queue.close();
});

test('a fence above the lease makes the next generation higher than the fence', async () => {
  const queue = await newQueue();
  await transaction(queue, ({ connection }) => {
    connection.run("INSERT INTO operations VALUES (5000, 'another', '2026-01-01')");
  });
  await submitJobs(queue, [submission('echo')]);
  expect(existsSync(join(queue.directory, 'lease.5001.free'))).toBe(true);
  queue.close();
});

test('concurrent transactions on several connections are all committed', async () => {
  const queue = await newQueue();
  const others = await Promise.all([1, 2, 3].map(() => openQueue(queue.directory, { lockTimeoutMs: 60_000 })));
  await Promise.all(others.flatMap((each) => Array.from({ length: 20 }, () => submitJobs(each, [submission('echo')]))));
  expect((await submitJobs(queue, [submission('echo')])).first).toBe(61);
  for (const each of [queue, ...others]) each.close();
});

import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/job/clock.ts';
import type { Lease } from '../../../src/lease/lease.ts';
import { LeaseClient } from '../../../src/lease/lease-client.ts';
import { bundleFixture, FixtureProcess } from '../../support/fixture.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const processes: FixtureProcess[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const each of processes.splice(0)) await each.kill();
});

async function acquire(directory: string, timeoutMs: number, staleMs?: number): Promise<Lease> {
  return await new LeaseClient(directory, { clock: systemClock, staleMs }).acquire({ timeoutMs });
}

async function contenders(count: number): Promise<FixtureProcess[]> {
  const program = await bundleFixture('lease-contender');
  const started = Array.from({ length: count }, () => new FixtureProcess(program));
  processes.push(...started);
  await Promise.all(started.map((each) => each.message()));
  return started;
}

test('a stale lease that eight processes break at once never has two owners in 300 rounds', async () => {
  const eight = await contenders(8);
  const parent = temporaryDirectory();
  for (let batch = 0; batch < 15; batch++) {
    const directories = Array.from({ length: 20 }, (_, round) => join(parent, `${batch}-${round}`));
    for (const directory of directories) mkdirSync(join(directory, 'lease.7'), { recursive: true });
    const answers = eight.map((each) => each.message());
    for (const each of eight) each.send({ directories, staleMs: 400 });
    const seen = (await Promise.all(answers)).map(({ seen }) => seen as { generation: number; violations: number }[]);
    directories.forEach((directory, index) => {
      const generations = seen.map((each) => each[index]?.generation ?? 0);
      expect(new Set(generations).size).toBe(8);
      expect(Math.min(...generations)).toBeGreaterThan(7);
      expect(seen.map((each) => each[index]?.violations)).toEqual(Array(8).fill(0));
      expect(readdirSync(directory)).toEqual([`lease.${Math.max(...generations)}.free`]);
    });
  }
});

test('a holder that was stopped past its lease does not release the lease of another process', async () => {
  const directory = temporaryDirectory();
  const held = await acquire(directory, 1_000, 60_000);
  // With its shorter stale time, the breaker sees no sign of life.
  const breaker = await acquire(directory, 10_000, 300);
  expect(breaker.generation).toBe(held.generation + 1);
  expect(held.isOwned()).toBe(false);
  held.release();
  expect(breaker.isOwned()).toBe(true);
  expect(readdirSync(directory)).toEqual([`lease.${breaker.generation}`]);
  breaker.release();
  expect(readdirSync(directory)).toEqual([`lease.${breaker.generation}.free`]);
});

test('a note of a holder counts only for its generation and for this boot of this host', async () => {
  const directory = temporaryDirectory();
  const root = temporaryDirectory();
  vi.stubEnv('RQ_RUNTIME_DIR', root);
  const held = await acquire(directory, 1_000, 60_000);
  const [name = ''] = readdirSync(root);
  const note = JSON.parse(readFileSync(join(root, name), 'utf8')) as Record<string, unknown>;
  const gone = { ...note, startTime: 1 };
  for (const other of [note, { ...gone, scope: 'another' }, { ...gone, generation: held.generation - 1 }, null]) {
    writeFileSync(join(root, name), JSON.stringify(other));
    await expect(acquire(directory, 200, 60_000)).rejects.toMatchObject({ code: 'BUSY' });
  }
  writeFileSync(join(root, name), JSON.stringify(gone));
  const next = await acquire(directory, 200, 60_000);
  expect([held.isOwned(), next.isOwned()]).toEqual([false, true]);
  next.release();
  held.release();
  expect(readdirSync(root)).toEqual([]);
});

describe('the note of a killed holder does not count for another directory at the same path', () => {
  test.each([
    ['created again', (directory: string) => rmSync(directory, { recursive: true })],
    ['moved there', (directory: string) => renameSync(directory, `${directory}.before`)],
  ])('%s', async (_, remove) => {
    const root = temporaryDirectory();
    vi.stubEnv('RQ_RUNTIME_DIR', root);
    const directory = join(temporaryDirectory(), 'q');
    mkdirSync(directory);
    const holder = new FixtureProcess(await bundleFixture('lease-holder'), ['hold', directory]);
    processes.push(holder);
    await holder.message();
    const [lease = ''] = readdirSync(directory);
    await holder.kill();
    expect(readdirSync(root)).toHaveLength(1);
    remove(directory);
    // The holder of the lease runs on another host.
    mkdirSync(join(`${directory}.new`, lease), { recursive: true });
    renameSync(`${directory}.new`, directory);
    await expect(acquire(directory, 300, 60_000)).rejects.toMatchObject({ code: 'BUSY' });
  });
});

test('no note is written to a directory that others can write to', async () => {
  const root = temporaryDirectory();
  chmodSync(root, 0o777);
  vi.stubEnv('RQ_RUNTIME_DIR', root);
  const held = await acquire(temporaryDirectory(), 1_000);
  expect(readdirSync(root)).toEqual([]);
  held.release();
});

test('a lease is not stale as long as its holder refreshes it', async () => {
  const directory = temporaryDirectory();
  const held = await acquire(directory, 1_000, 3_000);
  const contender = acquire(directory, 7_000, 3_000);
  await expect(contender).rejects.toMatchObject({ code: 'BUSY' });
  expect(held.isOwned()).toBe(true);
  held.release();
});

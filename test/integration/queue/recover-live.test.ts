import { copyFileSync, existsSync, readdirSync, renameSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { submitJobs } from '../../../src/queue/jobs/submit.ts';
import { openQueue } from '../../../src/queue/open.ts';
import { breakLocks } from '../../../src/queue/recovery/break-locks.ts';
import { recoverQueue } from '../../../src/queue/recovery/recover.ts';
import { Connection } from '../../../src/store/connection.ts';
import { fillQueue } from '../../support/big-queue.ts';
import { keepIndexOf, zeroPage } from '../../support/damage.ts';
import { bundleFixture, FixtureProcess } from '../../support/fixture.ts';
import { countTagged, integrity, newQueue, submission } from '../../support/queue.ts';
import { seededRandom } from '../../support/random.ts';
import { waitFor } from '../../support/wait-for.ts';

const processes: FixtureProcess[] = [];
const ignore = (): void => undefined;

afterEach(async () => {
  for (const each of processes.splice(0)) await each.kill();
});

async function fixture(name: string, words: string[], environment: NodeJS.ProcessEnv = {}): Promise<FixtureProcess> {
  const started = new FixtureProcess(await bundleFixture(name), words, environment);
  processes.push(started);
  return started;
}

async function stepWriter(directory: string): Promise<FixtureProcess> {
  const writer = await fixture('step-writer', [directory]);
  await writer.message();
  return writer;
}

async function step(writer: FixtureProcess, tag: string): Promise<number> {
  const answer = writer.message();
  writer.send({ tag });
  return Number((await answer)['jid']);
}

/** A page in the middle of the table of jobs. */
function pageOfJobs(database: string): number {
  const connection = Connection.open(database, { readOnly: true, busyMs: 5000 });
  try {
    const sql = "SELECT pageno FROM dbstat WHERE name = 'jobs' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 20";
    return Number(connection.get(sql)?.['pageno']);
  } finally {
    connection.close();
  }
}

test('processes that have the damaged database open continue with the new one', async () => {
  const queue = await newQueue();
  await fillQueue(queue, seededRandom(1));
  const writer = await stepWriter(queue.directory);
  await step(writer, 'before');
  const reader = await openQueue(queue.directory, { lockTimeoutMs: 10_000 });
  expect(await countTagged(reader, 'before')).toBe(1);
  zeroPage(queue.database, pageOfJobs(queue.database));
  const { damage, saved, doubtful } = await recoverQueue(queue, ignore);
  expect({ damage, doubtful }).toEqual({ damage: 'rows', doubtful: [] });
  expect(await step(writer, 'after')).toBeGreaterThan(1_100);
  expect(await countTagged(reader, 'after')).toBe(1);
  const again = await recoverQueue(queue, ignore);
  expect(again).toMatchObject({ damage: 'none', saved: saved + 1, kept: null });
  reader.close();
});

test('a recover killed right after its rename loses no transaction', async () => {
  const queue = await newQueue();
  const writer = await stepWriter(queue.directory);
  await step(writer, 'before');
  copyFileSync(queue.database, join(queue.directory, 'copy'));
  renameSync(join(queue.directory, 'copy'), queue.database);
  await step(writer, 'after');
  expect(await countTagged(queue, 'after')).toBe(1);
  queue.close();
});

test('writers lose nothing while the database is replaced repeatedly', async () => {
  const queue = await newQueue();
  const writers = await Promise.all([stepWriter(queue.directory), stepWriter(queue.directory)]);
  const counts = [0, 0];
  const ROUNDS = 20;
  const written = writers.map(async (writer, index) => {
    for (let round = 0; round < ROUNDS; round++) {
      await step(writer, 'many');
      counts[index] = round + 1;
    }
  });
  while (Math.min(...counts) < ROUNDS) {
    const before = Math.max(...counts);
    expect(await breakLocks(queue)).toMatchObject({ journal: 'none', isWhole: true });
    expect(await recoverQueue(queue, ignore)).toMatchObject({ damage: 'none' });
    await waitFor(() => Math.max(...counts) > before || Math.min(...counts) === ROUNDS);
  }
  await Promise.all(written);
  expect(await countTagged(queue, 'many')).toBe(2 * ROUNDS);
  queue.close();
});

test('break-locks discards the transaction of a stopped writer, which starts over when it continues', async () => {
  const queue = await newQueue({ staleMs: 5_000, lockTimeoutMs: 15_000 });
  await submitJobs(queue, [submission('echo first')]);
  const stopped = await fixture('writer', ['stop', queue.directory, 'late', '1'], { STALE_MS: '1000' });
  expect(await stopped.message()).toEqual({ stopping: true });
  const committed = stopped.message();
  await expect(recoverQueue(queue, ignore)).rejects.toMatchObject({
    code: 'BUSY',
    message: expect.stringContaining('--break-locks'),
  });
  expect(await breakLocks(queue)).toMatchObject({ isWhole: true });
  expect((await submitJobs(queue, [submission('echo second')])).first).toBe(2);
  stopped.process.kill('SIGCONT');
  expect(await committed).toMatchObject({ committed: true, runs: 2 });
  expect(await countTagged(queue, 'late')).toBe(1);
  expect(await integrity(queue)).toBe('ok');
  queue.close();
});

test.each([['break-locks'], ['recover']])('%s rolls back the journal of a dead writer', async (how) => {
  const queue = await newQueue({ staleMs: 5_000 });
  await submitJobs(queue, [submission('echo first', { tag: 'first' })]);
  const dying = await fixture('writer', ['spill', queue.directory, 'dead', '3000']);
  await expect(dying.message()).rejects.toThrow('SIGKILL');
  expect(existsSync(`${queue.database}-journal`)).toBe(true);
  if (how === 'recover') expect(await recoverQueue(queue, ignore)).toMatchObject({ damage: 'none', saved: 1 });
  else expect(await breakLocks(queue)).toMatchObject({ journal: 'rolled back', isWhole: true });
  expect(readdirSync(queue.directory).filter((name) => name.startsWith('db'))).toEqual(['db', 'db.schema']);
  expect(await countTagged(queue, 'dead')).toBe(0);
  expect(await countTagged(queue, 'first')).toBe(1);
  expect(await integrity(queue)).toBe('ok');
  queue.close();
});

test('indexes that lack entries are rebuilt, and the damaged file is kept', async () => {
  const queue = await newQueue();
  await submitJobs(queue, [submission('echo', { tag: 'old' })]);
  queue.close();
  keepIndexOf(queue.database, 'IS NULL');
  await submitJobs(queue, [submission('echo', { tag: 'new' })]);
  queue.close();
  keepIndexOf(queue.database, 'IS NOT NULL');
  expect(await integrity(queue)).toContain('missing from index');
  const { damage, saved, kept } = await recoverQueue(queue, ignore);
  expect({ damage, saved }).toEqual({ damage: 'indexes', saved: 2 });
  expect(existsSync(kept ?? '')).toBe(true);
  expect(await integrity(queue)).toBe('ok');
  expect(await countTagged(queue, 'new')).toBe(1);
  queue.close();
});

test('an empty file is not changed', async () => {
  const queue = await newQueue();
  truncateSync(queue.database, 0);
  await expect(recoverQueue(queue, ignore)).rejects.toMatchObject({ code: 'QUEUE_DAMAGED' });
  expect(readdirSync(queue.directory).filter((name) => name.startsWith('db'))).toEqual(['db', 'db.schema']);
});

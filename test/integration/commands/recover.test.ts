import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection } from '../../../src/store/connection.ts';
import { pagesOfJobs } from '../../support/big-queue.ts';
import { zeroPage } from '../../support/damage.ts';
import { Workbench } from '../../support/program.ts';

const JOBS = 200;

async function filledQueue(): Promise<{ bench: Workbench; database: string }> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const lines = Array.from({ length: JOBS }, (_, index) => `echo ${index} ${'x'.repeat(100)}\n`);
  await bench.must(['QUEUE', 'submit', '-'], { input: lines.join('') });
  return { bench, database: join(bench.queue, 'db') };
}

test('an intact queue is not changed', async () => {
  const { bench, database } = await filledQueue();
  const before = readFileSync(database);
  const { status, stdout } = await bench.run(['QUEUE', 'recover', '--json']);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ database, damage: 'none', saved: JOBS, lost: [], doubtful: [], kept: null });
  expect(readFileSync(database).equals(before)).toBe(true);
});

test('a damaged queue is reported with advice, and recover saves the jobs of all other pages', async () => {
  const { bench, database } = await filledQueue();
  const connection = Connection.open(database, { readOnly: true, busyMs: 0 });
  const [page = 0] = pagesOfJobs(connection).get(JOBS / 2)?.own ?? [];
  connection.close();
  zeroPage(database, page);
  const damaged = readFileSync(database);
  const { status, stderr } = await bench.run(['QUEUE', 'list']);
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(`run: rq ${bench.queue} recover`) });
  const report = JSON.parse(await bench.must(['QUEUE', 'recover', '--json'])) as Record<string, unknown>;
  expect(report['damage']).toBe('rows');
  expect(Number(report['saved']) + (report['lost'] as number[]).length).toBe(JOBS);
  expect(readFileSync(String(report['kept'])).equals(damaged)).toBe(true);
  expect(await bench.jobs()).toHaveLength(Number(report['saved']));
});

test('a file that is not a database is not changed', async () => {
  const { bench, database } = await filledQueue();
  writeFileSync(database, 'garbage '.repeat(10_000));
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'recover']);
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: expect.stringContaining('no job can be read; nothing was changed'),
  });
  expect(readFileSync(database, 'utf8')).toBe('garbage '.repeat(10_000));
  expect(readdirSync(bench.queue).filter((name) => name.startsWith('db'))).toEqual(['db', 'db.schema']);
});

test('--break-locks without --yes is a usage error', async () => {
  const { bench, database } = await filledQueue();
  const before = readFileSync(database);
  const { status, stderr } = await bench.run(['QUEUE', 'recover', '--break-locks']);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('--yes') });
  expect(readFileSync(database).equals(before)).toBe(true);
  const stdout = await bench.must(['QUEUE', 'recover', '--break-locks', '--yes', '--json']);
  expect(JSON.parse(stdout)).toEqual({ database, locks: 'broken', journal: 'none', whole: true });
  expect(await bench.jobs()).toHaveLength(JOBS);
});

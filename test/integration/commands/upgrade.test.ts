import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Connection, type Row } from '../../../src/store/connection.ts';
import { SCHEMA_VERSION } from '../../../src/store/schema.ts';
import { zeroPage } from '../../support/damage.ts';
import { createOldQueue } from '../../support/old-queue.ts';
import { type Ended, Workbench } from '../../support/program.ts';

const VERSIONS = [1, 2] as const;

async function oldBench(version: 1 | 2, locking: 'posix' | 'lease' = 'posix'): Promise<Workbench> {
  const bench = new Workbench();
  await createOldQueue(bench.queue, version, locking);
  return bench;
}

/** The names in a queue apart from the lease, and the bytes of its database. */
function contentsOf(queue: string): { names: string[]; database: Buffer } {
  const names = readdirSync(queue, { recursive: true, encoding: 'utf8' }).filter((name) => !name.startsWith('lease.'));
  return { names: names.sort(), database: readFileSync(join(queue, 'db')) };
}

function copiesIn(queue: string): string[] {
  return readdirSync(queue).filter((name) => name.startsWith('db.version-'));
}

/** Runs a statement on the database of a queue, without rq. */
function sql(bench: Workbench, statement: string): Row[] {
  const connection = Connection.open(join(bench.queue, 'db'), { busyMs: 0 });
  try {
    if (statement.startsWith('SELECT')) return connection.all(statement);
    connection.execute(statement);
    return [];
  } finally {
    connection.close();
  }
}

async function upgrade(bench: Workbench): Promise<{ schema: number; before: number; copy: string | null }> {
  return JSON.parse(await bench.must(['QUEUE', 'upgrade', '--json'])) as {
    schema: number;
    before: number;
    copy: string | null;
  };
}

const READS = [
  ['list', 'all'],
  ['list', '--snapshot'],
  ['query', 'state=dead'],
  ['nodes'],
  ['configure'],
  ['stdin4', '1'],
  ['snapshot', 'copy'],
  ['backup', 'copy.bak'],
  ['lock', 'read', '--', 'true'],
  ['recover'],
];

const CHANGES = [
  ['submit', 'true'],
  ['submit', '--stdin', 'cat'],
  ['touch', 'true'],
  ['update', '1', 'priority=9'],
  ['resubmit', '4'],
  ['delete', '4'],
  ['execute', 'DELETE FROM jobs'],
  ['configure', 'max_feed=2'],
  ['rotate', 'done'],
  ['feed', '--until-empty'],
  ['start'],
  ['stop'],
  ['upgrade', '--check'],
];

describe.each(VERSIONS)('a queue of schema version %d', (version) => {
  test('is read and copied, and no read changes it', async () => {
    const bench = await oldBench(version);
    const before = contentsOf(bench.queue);
    for (const words of READS) await bench.must(['QUEUE', ...words]);
    expect(contentsOf(bench.queue)).toEqual(before);
    for (const copy of ['copy', 'copy.bak']) {
      const jobs = JSON.parse(await bench.must([join(bench.directory, copy), 'list', '--json'])) as unknown[];
      expect(jobs).toEqual(await bench.jobs());
    }
  });

  test('is not changed: each command that would change it names "upgrade" in one line', async () => {
    const bench = await oldBench(version);
    const before = contentsOf(bench.queue);
    const ended: Ended[] = [];
    for (const words of CHANGES) ended.push(await bench.run(['QUEUE', ...words]));
    const line = `rq: cannot change ${bench.queue}: the database has schema ${version}, and this version of rq changes only schema ${SCHEMA_VERSION}; run: rq ${bench.queue} upgrade\n`;
    const expected = { status: 1, stdout: '', stderr: line };
    expect(ended.map(({ status, stdout, stderr }) => ({ status, stdout, stderr }))).toEqual(
      CHANGES.map(() => expected),
    );
    expect(contentsOf(bench.queue)).toEqual(before);
    expect(existsSync(join(bench.directory, 'done'))).toBe(false);
  });

  test('status and doctor say that it needs "upgrade"', async () => {
    const bench = await oldBench(version);
    const status = await bench.run(['QUEUE', 'status', '--json']);
    expect(status).toMatchObject({ status: 0, stderr: expect.stringMatching(/^rq: .*rq \S+ upgrade\n$/) });
    expect(JSON.parse(status.stdout)).toMatchObject({ jobs: { total: 5 } });
    const doctor = await bench.run(['QUEUE', 'doctor', '--json']);
    const { findings } = JSON.parse(doctor.stdout) as { findings: Record<string, string>[] };
    expect(findings.filter(({ check }) => check === 'database')).toMatchObject([
      { level: 'problem', advice: expect.stringContaining(`run: rq ${bench.queue} upgrade`) },
    ]);
  });

  test('is upgraded after a copy of the database, keeps its jobs, and takes new ones', async () => {
    const bench = await oldBench(version);
    const [jobs, database] = [await bench.jobs(), join(bench.queue, 'db')];
    const before = readFileSync(database);
    const { schema, before: found, copy } = await upgrade(bench);
    expect([schema, found]).toEqual([SCHEMA_VERSION, version]);
    expect(readFileSync(String(copy)).equals(before)).toBe(true);
    expect(statSync(String(copy)).mode).toBe(statSync(database).mode);
    expect(await bench.jobs()).toEqual(jobs);
    expect(statSync(join(bench.queue, 'script')).mode).toBe(statSync(join(bench.queue, 'data')).mode);
    expect(readFileSync(join(bench.queue, 'db.schema'), 'utf8')).toContain('note');
    expect((await bench.run(['QUEUE', 'status'])).stderr).toBe('');
    await bench.must(['QUEUE', 'submit', '--note', 'new', 'true']);
    expect(await bench.jobs('6')).toMatchObject([{ jid: 6, note: 'new' }]);
    expect(await upgrade(bench)).toEqual({ schema: SCHEMA_VERSION, before: SCHEMA_VERSION, copy: null });
    expect(copiesIn(bench.queue)).toHaveLength(1);
  });

  test('with --locking lease is read, refused and upgraded in the same way', async () => {
    const bench = await oldBench(version, 'lease');
    expect(await bench.jobs()).toHaveLength(5);
    expect((await bench.run(['QUEUE', 'submit', 'true'])).stderr).toContain('upgrade\n');
    expect((await upgrade(bench)).copy).toContain(`db.version-${version}.`);
    await bench.must(['QUEUE', 'submit', 'true']);
  });
});

test.each(['transaction-begun', 'transaction-executed', 'transaction-committed'])(
  'an upgrade that is killed at %s is completed by the next one, and the copy remains',
  async (point) => {
    const bench = await oldBench(2);
    const before = readFileSync(join(bench.queue, 'db'));
    const environment = { RQ_CRASH_AT: `${point}:${join(bench.directory, 'crashed')}` };
    expect((await bench.run(['QUEUE', 'upgrade'], { environment })).signal).toBe('SIGKILL');
    await upgrade(bench);
    const copies = copiesIn(bench.queue).sort();
    expect(copies).toHaveLength(point === 'transaction-committed' ? 1 : 2);
    expect(readFileSync(join(bench.queue, copies[0] ?? '')).equals(before)).toBe(true);
    expect(await bench.jobs()).toHaveLength(5);
    await bench.must(['QUEUE', 'submit', 'true']);
  },
);

test('of several upgrades at the same time, one makes a copy', async () => {
  const bench = await oldBench(2);
  const reports = await Promise.all([upgrade(bench), upgrade(bench), upgrade(bench)]);
  expect(reports.filter(({ copy }) => copy !== null).map(({ copy }) => copy)).toEqual(
    copiesIn(bench.queue).map((name) => join(bench.queue, name)),
  );
  expect(copiesIn(bench.queue)).toHaveLength(1);
});

test('an upgrade that fails leaves no copy and no change', async () => {
  const bench = await oldBench(1);
  // The migration to version 2 creates a table of this name.
  sql(bench, 'CREATE TABLE rotations (x)');
  const before = readFileSync(join(bench.queue, 'db'));
  expect(await bench.run(['QUEUE', 'upgrade'])).toMatchObject({ status: 1, stdout: '' });
  expect(copiesIn(bench.queue)).toEqual([]);
  expect(readFileSync(join(bench.queue, 'db')).equals(before)).toBe(true);
});

test('an upgrade refuses a snapshot, and a queue that a newer rq created', async () => {
  const bench = await oldBench(2);
  await bench.must(['QUEUE', 'snapshot', 'copy']);
  const snapshot = await bench.run([join(bench.directory, 'copy'), 'upgrade']);
  expect(snapshot).toMatchObject({ status: 1, stderr: expect.stringContaining('is a read-only snapshot') });
  sql(bench, 'PRAGMA user_version = 99');
  const before = contentsOf(bench.queue);
  const newer = await bench.run(['QUEUE', 'upgrade']);
  expect(newer).toMatchObject({ status: 1, stderr: expect.stringMatching(/schema 99; .*; upgrade rq\n$/) });
  expect(contentsOf(bench.queue)).toEqual(before);
});

test('recover repairs an older queue into the schema of this rq, and says so', async () => {
  const bench = await oldBench(2);
  const [row] = sql(bench, "SELECT rootpage FROM sqlite_schema WHERE name = 'jobs_by_state'");
  zeroPage(join(bench.queue, 'db'), Number(row?.['rootpage']));
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'recover', '--json']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('upgraded the schema') });
  expect(JSON.parse(stdout)).toMatchObject({ damage: 'indexes', saved: 5, lost: [] });
  expect(readFileSync(join(bench.queue, 'db.schema'), 'utf8')).toContain('note');
  expect(existsSync(join(bench.queue, 'script'))).toBe(true);
  await bench.must(['QUEUE', 'submit', 'true']);
});

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Connection } from '../../../src/store/connection.ts';
import * as wishes from '../../../src/store/control/wishes.ts';
import * as jobColumns from '../../../src/store/job-columns.ts';
import * as jobRows from '../../../src/store/job-rows.ts';
import { memoryDatabase, schemaFixture } from '../../support/old-queue.ts';

const FOLDER = fileURLToPath(new URL('../../../src/store/', import.meta.url));
let connection: Connection;

/** The tables that the statements of a recovery use besides those of a queue. */
const RECOVERY = `CREATE TEMP TABLE entries (jid INTEGER PRIMARY KEY, state TEXT);
  CREATE TEMP TABLE doubtful (jid INTEGER PRIMARY KEY);
  CREATE TEMP TABLE unreadable (jid INTEGER PRIMARY KEY);
  ATTACH ':memory:' AS scratch;
  CREATE TABLE scratch.entries (jid, state);
  CREATE TABLE scratch.lost_and_found (rootpgno, pgno, nfield, id, c0, c1)`;

beforeEach(() => {
  connection = memoryDatabase();
  connection.migrate();
});

afterEach(() => connection.close());

/** The SQL constants of a file of the store, evaluated in their order. */
function statementsOf(file: string): string[] {
  const source = readFileSync(FOLDER + file, 'utf8');
  const scope = new Map<string, unknown>(Object.entries({ ...jobColumns, ...jobRows, ...wishes }));
  const constants = source.matchAll(
    /^(?:export )?const ([A-Z_]+) =\s*(`[^`]*`|'[^']*'|"[^"]*"|insertSql\([^;]*\));$/gm,
  );
  return [...constants]
    .map(([, name = '', expression = '']) => {
      const value: unknown = new Function(...scope.keys(), `return ${expression}`)(...scope.values());
      scope.set(name, value);
      return String(value);
    })
    .filter((text) => /^(SELECT|INSERT|UPDATE|DELETE|PRAGMA)\b/.test(text));
}

const statements = readdirSync(FOLDER, { encoding: 'utf8', recursive: true })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('schema.ts'))
  .flatMap((file) => statementsOf(file).map((sql) => [file, sql] as const));

test('the statements of the store are found', () => {
  expect(statements.length).toBeGreaterThan(50);
});

test.each(statements)('%s prepares: %s', (file, sql) => {
  if (file.startsWith('recovery/')) connection.execute(RECOVERY);
  expect(() => connection.prepare(sql)).not.toThrow();
});

test.each([1, 2] as const)(
  'every statement that reads prepares on schema version %d and on one with fewer columns',
  (version) => {
    const older = memoryDatabase(schemaFixture(version));
    const reads = statements.filter(
      // Feeders, which claim, do not read an older schema.
      ([file, sql]) =>
        /^(SELECT|PRAGMA)/.test(sql) &&
        !/^(?:arrays|claim|control|dependencies|recovery\/(?:gates|rebuild|scratch|source))/.test(file),
    );
    older.version();
    for (const [, sql] of reads) older.prepare(sql);
    older.execute('CREATE TEMP VIEW IF NOT EXISTS jobs AS SELECT *, NULL AS another FROM main.jobs');
    older.execute(
      'CREATE TEMP VIEW IF NOT EXISTS earlier_attempts AS SELECT *, NULL AS another FROM main.earlier_attempts',
    );
    for (const [, sql] of reads) older.prepare(`${sql} `);
    older.close();
  },
);

function plan(sql: string, parameters: readonly (string | number)[] | Record<string, string | number>): string {
  return connection
    .all(`EXPLAIN QUERY PLAN ${sql}`, parameters)
    .map((row) => String(row['detail']))
    .join('; ');
}

test('a claim reads the shapes and the jobs of a shape in the order of indexes, and sorts nothing', () => {
  const [shapes = '', ready = ''] = statementsOf('claim/ready-jobs.ts');
  expect(plan(shapes, { rank: 0, jid: 0, limit: 1 })).toMatch(/^SEARCH main\.shapes USING INDEX shapes_top \(/);
  const first = { shape: 1, priority: 0, jid: 0, until: '$."h".until', now: '2026', limit: 1 };
  expect(plan(ready, first)).toBe('SEARCH main.jobs USING COVERING INDEX jobs_ready (shape=? AND priority<?)');
  const [running = ''] = statementsOf('claim/limits.ts');
  expect(plan(running, [])).toContain('USING COVERING INDEX jobs_running');
});

test('the tasks of stopped arrays are read from the part of an index with the pending ones', () => {
  const sql = statementsOf('arrays.ts').find((each) => each.startsWith('SELECT')) ?? '';
  expect(plan(sql, { limit: 1 })).toBe(
    'SCAN main.arrays USING INDEX arrays_stopped; SEARCH main.jobs USING INDEX jobs_by_state (state=? AND rowid>? AND rowid<?)',
  );
});

test('counts by state and of finished jobs are read from indexes alone', () => {
  for (const sql of statementsOf('counts/counts.ts').filter((text) => text.includes('count('))) {
    const parameters = sql.includes('?') ? ['2026'] : [];
    if (sql.includes('GROUP BY runner')) expect(plan(sql, parameters)).toContain('USING INDEX jobs_by_state');
    else expect(plan(sql, parameters)).toContain('USING COVERING INDEX');
  }
});

test('a query by jid, state or tag reads an index in the order of jids, and sorts nothing', () => {
  const detail = (expression: string): string =>
    plan(`SELECT ${jobRows.JOB_COLUMNS} FROM jobs WHERE (${expression}\n) AND jid > ? ORDER BY jid LIMIT ?`, [0, 1]);
  expect(detail('jid = 42')).toBe('SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)');
  expect(detail("tag = 'x'")).toBe('SEARCH jobs USING INDEX jobs_by_tag (tag=? AND rowid>?)');
  expect(detail('array = 17')).toBe('SEARCH jobs USING INDEX jobs_by_array (array=? AND rowid>?)');
  expect(detail("state = 'dead'")).toBe('SEARCH jobs USING INDEX jobs_by_state (state=? AND rowid>?)');
});

test('a completion looks up one place of an index for each tag, and a range of jids', () => {
  const [first = '', next = '', newest = ''] = statementsOf('completions.ts');
  for (const sql of [first, next]) expect(plan(sql, ['a'])).toContain('SEARCH jobs USING COVERING INDEX jobs_by_tag');
  const bound = newest.replaceAll(/:\w+/g, '1');
  expect(plan(bound, [])).toBe('SEARCH jobs USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)');
});

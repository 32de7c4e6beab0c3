import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Connection } from '../../../src/store/connection.ts';
import { IS_SHORT, JOB_COLUMNS } from '../../../src/store/job-rows.ts';

const FOLDER = fileURLToPath(new URL('../../../src/store/', import.meta.url));
let connection: Connection;

beforeEach(() => {
  connection = Connection.open(':memory:', { create: true, busyMs: 0 });
  connection.migrate();
});

afterEach(() => connection.close());

/** The SQL constants of a file of the store, with its two interpolations filled in. */
function statementsOf(file: string): string[] {
  const source = readFileSync(FOLDER + file, 'utf8');
  const found = source.matchAll(/const [A-Z_]+ =\s*(?:`([^`]*)`|'([^']*)'|"([^"]*)")/g);
  return (
    [...found]
      .map(([, ...texts]) => texts.find((text) => text !== undefined) ?? '')
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what stands in the source.
      .map((text) => text.replaceAll('${JOB_COLUMNS}', JOB_COLUMNS).replaceAll('${IS_SHORT}', IS_SHORT))
      .filter((text) => /^(SELECT|INSERT|UPDATE|DELETE|PRAGMA)\b/.test(text))
  );
}

const statements = readdirSync(FOLDER, { encoding: 'utf8', recursive: true })
  .filter((file) => file.endsWith('.ts') && file !== 'schema.ts')
  .flatMap((file) => statementsOf(file).map((sql) => [file, sql] as const));

test('the statements of the store are found', () => {
  expect(statements.length).toBeGreaterThan(25);
});

test.each(statements)('%s prepares: %s', (_, sql) => {
  expect(() => connection.prepare(sql)).not.toThrow();
});

function plan(sql: string, parameters: readonly (string | number)[]): string {
  return connection
    .all(`EXPLAIN QUERY PLAN ${sql}`, parameters)
    .map((row) => String(row['detail']))
    .join('; ');
}

test('a claim reads an index of pending jobs in its order, and sorts nothing', () => {
  const free = statementsOf('claims.ts').filter((sql) => sql.includes('ORDER BY priority'));
  expect(free).toHaveLength(2);
  expect(plan(free[0] ?? '', [1])).toBe('SCAN jobs USING INDEX jobs_claimable');
  expect(plan(free[1] ?? '', ['h', 1])).toBe('SEARCH jobs USING COVERING INDEX jobs_constrained (runners=?)');
});

test('counts by state and of finished jobs are read from indexes alone', () => {
  for (const sql of statementsOf('counts.ts').filter((text) => text.includes('count('))) {
    const parameters = sql.includes('?') ? ['2026'] : [];
    if (sql.includes('GROUP BY runner')) expect(plan(sql, parameters)).toContain('USING INDEX jobs_by_state');
    else expect(plan(sql, parameters)).toContain('USING COVERING INDEX');
  }
});

test('a query by jid, state or tag reads an index in the order of jids, and sorts nothing', () => {
  const detail = (expression: string): string =>
    plan(`SELECT ${JOB_COLUMNS} FROM jobs WHERE (${expression}\n) AND jid > ? ORDER BY jid LIMIT ?`, [0, 1]);
  expect(detail('jid = 42')).toBe('SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)');
  expect(detail("tag = 'x'")).toBe('SEARCH jobs USING INDEX jobs_by_tag (tag=? AND rowid>?)');
  expect(detail("state = 'dead'")).toBe('SEARCH jobs USING INDEX jobs_by_state (state=? AND rowid>?)');
});

test('a completion looks up one place of an index for each tag, and a range of jids', () => {
  const [first = '', next = '', newest = ''] = statementsOf('completions.ts');
  for (const sql of [first, next]) expect(plan(sql, ['a'])).toContain('SEARCH jobs USING COVERING INDEX jobs_by_tag');
  const bound = newest.replaceAll(/:\w+/g, '1');
  expect(plan(bound, [])).toBe('SEARCH jobs USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)');
});

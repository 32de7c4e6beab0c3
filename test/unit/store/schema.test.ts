import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection, type Row } from '../../../src/store/connection.ts';
import { ATTEMPT_COLUMNS, ROW_COLUMNS, sqlName } from '../../../src/store/job-columns.ts';
import { commitRotation, unfinishedRotations } from '../../../src/store/rotations.ts';
import { SCHEMA_VERSION } from '../../../src/store/schema.ts';
import { selectPage } from '../../../src/store/selections.ts';
import { memoryDatabase, schemaFixture } from '../../support/old-queue.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const EVERYTHING = { all: true, ranges: [], states: [], pairs: [] };
const PAGE = { after: 0, limit: 10 };

function newDatabase(): Connection {
  const connection = memoryDatabase();
  connection.migrate();
  return connection;
}

function migrated(version: 1 | 2): Connection {
  const connection = memoryDatabase(schemaFixture(version));
  connection.migrate();
  return connection;
}

/** The columns of each table and view, the indexes and the foreign keys, without the text of comments and checks. */
function structure(connection: Connection): Record<string, unknown> {
  const objects = connection.all('SELECT type, name, sql FROM sqlite_schema ORDER BY name');
  return Object.fromEntries(
    objects.map(({ type, name, sql }) => [
      `${String(type)} ${String(name)}`,
      type === 'index'
        ? sql
        : [
            connection.all('SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)', [
              name ?? '',
            ]),
            connection.all('SELECT * FROM pragma_foreign_key_list(?)', [name ?? '']),
            connection.all('SELECT wr, strict FROM pragma_table_list(?)', [name ?? '']),
          ],
    ]),
  );
}

/** Rows with every combination of a state and of columns that have a value. */
function* combinations(): Generator<Row> {
  const optional = [
    'started',
    'finished',
    'elapsed',
    'runner',
    'pid',
    'exit_status',
    'signal',
    'reason',
    'boot',
    'journal',
  ];
  for (const state of ['pending', 'holding', 'running', 'finished', 'dead', 'other']) {
    for (const attempt of [0, 1]) {
      for (let bits = 0; bits < 2 ** optional.length; bits++) {
        const values = optional.map((name, index) => [name, (bits >> index) % 2 === 1 ? 1 : null]);
        yield { state, attempt, ...Object.fromEntries(values) };
      }
    }
  }
}

/** Which of the combinations a database accepts. */
function accepted(connection: Connection): string {
  const insert =
    connection.prepare(`INSERT INTO jobs (state, submitted, submitter, owner, cwd, command, started, finished,
    elapsed, runner, pid, exit_status, signal, reason, attempt, boot, journal) VALUES (:state, 'x', 's', 'o', '/', 'c',
    :started, :finished, :elapsed, :runner, :pid, :exit_status, :signal, :reason, :attempt, :boot, :journal)`);
  let results = '';
  for (const row of combinations()) {
    try {
      insert.run(row);
      results += '1';
    } catch {
      results += '0';
    }
  }
  return results;
}

test.each([1, 2] as const)('a database of version %d that is migrated has the structure of a new one', (version) => {
  expect(structure(migrated(version))).toEqual(structure(newDatabase()));
  expect(migrated(version).version()).toBe(SCHEMA_VERSION);
});

test.each([1, 2] as const)(
  'a database of version %d that is migrated accepts the same rows as a new one',
  (version) => {
    const created = accepted(newDatabase());
    expect(accepted(migrated(version)) === created).toBe(true);
    expect(created.replaceAll('0', '').length).toBeGreaterThan(10);
  },
);

test.each([1, 2] as const)('the migrations from version %d keep every row', (version) => {
  const before = memoryDatabase(schemaFixture(version));
  const after = migrated(version);
  for (const [table, columns] of [
    ['jobs', ROW_COLUMNS],
    ['earlier_attempts', ATTEMPT_COLUMNS],
  ] as const) {
    before.version();
    const sql = `SELECT ${columns.map(sqlName).join(', ')} FROM ${table}`;
    expect(after.all(sql)).toEqual(before.all(sql));
    expect(after.all(sql).length).toBeGreaterThan(0);
  }
});

test.each([1, 2] as const)(
  'a database of version %d is read as a new one, and reading does not change it',
  (version) => {
    const connection = memoryDatabase(schemaFixture(version));
    const schema = (): Row[] => connection.all('SELECT * FROM sqlite_schema');
    const before = schema();
    expect(connection.version()).toBe(version);
    expect(selectPage(connection, EVERYTHING, PAGE)).toEqual(selectPage(migrated(version), EVERYTHING, PAGE));
    expect(unfinishedRotations(connection)).toHaveLength(version - 1);
    expect(schema()).toEqual(before);
  },
);

test('a connection reads the tables themselves once another process has migrated them', () => {
  const path = join(temporaryDirectory(), 'db');
  const writer = Connection.open(path, { create: true, busyMs: 0 });
  writer.execute(schemaFixture(1));
  const reader = Connection.open(path, { readOnly: true, busyMs: 0 });
  expect(reader.version()).toBe(1);
  expect(unfinishedRotations(reader)).toEqual([]);
  writer.migrate();
  commitRotation(writer, { id: 'r', partial: 'p', path: 'q', files: [] }, 'now');
  expect(reader.version()).toBe(SCHEMA_VERSION);
  expect(unfinishedRotations(reader)).toHaveLength(1);
  for (const connection of [reader, writer]) connection.close();
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection } from '../../../src/store/connection.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test.each([true, false])('a connection syncs its commits and checks foreign keys (read-only: %s)', (readOnly) => {
  const path = join(temporaryDirectory(), 'db');
  Connection.open(path, { create: true, busyMs: 0 }).close();
  const connection = Connection.open(path, { readOnly, busyMs: 0 });
  expect(connection.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
  expect(connection.get('PRAGMA foreign_keys')).toEqual({ foreign_keys: 1 });
  connection.close();
});

test('opening a database does not read it: the first statement reports that it is locked or no database', () => {
  const directory = temporaryDirectory();
  const text = join(directory, 'text');
  writeFileSync(text, 'this is a text, which is longer than the header of a database. '.repeat(3));
  const connection = Connection.open(text, { busyMs: 0 });
  expect(() => connection.execute('BEGIN IMMEDIATE')).toThrow(expect.objectContaining({ code: 'SQLITE_NOTADB' }));
  connection.close();

  const writer = Connection.open(join(directory, 'db'), { create: true, busyMs: 0 });
  writer.execute('CREATE TABLE t (x); BEGIN EXCLUSIVE');
  const reader = Connection.open(join(directory, 'db'), { readOnly: true, busyMs: 0 });
  expect(() => reader.version()).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }));
  for (const each of [reader, writer]) each.close();
});

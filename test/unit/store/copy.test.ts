import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection } from '../../../src/store/connection.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('a copy of a database that stays locked fails after the given time', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'db');
  const writer = Connection.open(path, { create: true, busyMs: 0 });
  writer.execute('CREATE TABLE t (x)');
  const reader = Connection.open(path, { readOnly: true, busyMs: 200 });
  writer.execute('BEGIN EXCLUSIVE');
  const startMs = performance.now();
  const copied = reader.copyTo(join(directory, 'copy'), () => 100);
  await expect(copied).rejects.toMatchObject({ code: 'SQLITE_BUSY' });
  expect(performance.now() - startMs).toBeGreaterThan(150);
  writer.execute('COMMIT');
  await reader.copyTo(join(directory, 'copy'), () => 100);
  expect(existsSync(join(directory, 'copy'))).toBe(true);
  for (const connection of [reader, writer]) connection.close();
});

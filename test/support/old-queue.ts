import { chmodSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createQueue } from '../../src/queue/create.ts';
import type { Locking } from '../../src/queue/open.ts';
import { Connection } from '../../src/store/connection.ts';

/** The SQL of a queue's database as a released version made it, with a job of each state. */
export function schemaFixture(version: 1 | 2): string {
  return readFileSync(new URL(`../fixtures/schemas/version-${version}.sql`, import.meta.url), 'utf8');
}

/** A database in memory. */
export function memoryDatabase(sql = ''): Connection {
  const connection = Connection.open(':memory:', { create: true, busyMs: 0 });
  connection.execute(sql);
  return connection;
}

/** Creates a queue as a released version made it. Its pending job has a file in `stdin`. */
export async function createOldQueue(path: string, version: 1 | 2, locking: Locking = 'posix'): Promise<void> {
  await createQueue(path, { access: 'private', locking });
  const database = join(path, 'db');
  rmSync(database);
  rmdirSync(join(path, 'script'));
  writeFileSync(join(path, 'db.schema'), `-- schema ${version}\n`);
  writeFileSync(join(path, 'stdin/1'), '');
  const connection = Connection.open(database, { create: true, busyMs: 0 });
  connection.execute(schemaFixture(version));
  connection.close();
  chmodSync(database, 0o600);
}

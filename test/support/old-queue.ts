import { readFileSync } from 'node:fs';
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

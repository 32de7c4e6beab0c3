import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Workbench } from './program.ts';

const require = createRequire(import.meta.url);

interface RawDatabase {
  pragma(text: string): unknown;
  prepare(sql: string): { run(...values: unknown[]): { lastInsertRowid: number | bigint } };
  exec(sql: string): void;
  close(): void;
}

const Database = require('better-sqlite3') as new (path: string) => RawDatabase;

/** Does with a queue's database what whoever can write to it can do: past all constraints, and past rq. */
export function tamper<T>(bench: Workbench, work: (database: RawDatabase) => T): T {
  const database = new Database(join(bench.queue, 'db'));
  try {
    database.pragma('ignore_check_constraints = ON');
    database.pragma('foreign_keys = OFF');
    return work(database);
  } finally {
    database.close();
  }
}

/** Plants a job of the state pending with these columns in place of what rq would write; gives its jid. */
export function plantJob(bench: Workbench, columns: Readonly<Record<string, unknown>>): number {
  const row = { state: 'pending', submitted: '2026-01-01T00:00:00.000Z', submitter: 'h', owner: 'o', cwd: '/tmp' };
  const all: Record<string, unknown> = { ...row, command: 'true', ...columns };
  const names = Object.keys(all);
  const sql = `INSERT INTO jobs (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
  return tamper(bench, (database) => Number(database.prepare(sql).run(...Object.values(all)).lastInsertRowid));
}

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

/** Changes the database without rq and without constraints, as anyone with write access can. */
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

/** Inserts a pending job with these columns instead of the ones that rq would write. Returns its jid. */
export function plantJob(bench: Workbench, columns: Readonly<Record<string, unknown>>): number {
  const row = { state: 'pending', submitted: '2026-01-01T00:00:00.000Z', submitter: 'h', owner: 'o', cwd: '/tmp' };
  const all: Record<string, unknown> = { ...row, command: 'true', ...columns };
  const names = Object.keys(all);
  const sql = `INSERT INTO jobs (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
  return tamper(bench, (database) => Number(database.prepare(sql).run(...Object.values(all)).lastInsertRowid));
}

import { RqError } from '../job/errors.ts';
import type { Connection, Row } from './connection.ts';
import { raiseControlVersion } from './control/wishes.ts';
import { readFence } from './operations.ts';
import { SCHEMA } from './schema.ts';
import { lastJid } from './submissions.ts';
import { withStoredTimes } from './times/times-in-sql.ts';

const OBJECTS = 'SELECT type, name, sql FROM sqlite_schema ORDER BY name';

/** Statements that end or divide a transaction, or work outside of it. */
const FORBIDDEN = /^(?:BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|ATTACH|DETACH|VACUUM)\b/i;
const READING_PRAGMA =
  /^PRAGMA\s+(?:(?:table_info|table_xinfo|index_list|index_info|index_xinfo|foreign_key_list)\s*\(.*\)|(?:integrity_check|quick_check|foreign_key_check|table_list|user_version|schema_version|page_count|page_size|freelist_count|compile_options|encoding|collation_list|function_list))\s*;?\s*$/is;
/** Text that SQLite skips before a statement: white space, comments and empty statements. */
const SKIPPED = /^(?:[\s;]+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/;

/** Statements that select rows by conditions. */
const COMPARING = /^(?:SELECT|WITH|VALUES|DELETE|UPDATE|INSERT|REPLACE)\b/i;

/** The tables, indexes, views and triggers of rq. Users may add others. */
const OWN = new Set([...SCHEMA.matchAll(/^CREATE (?:TABLE|INDEX|VIEW|TRIGGER) (\w+)/gm)].map(([, name]) => name));

/** The rows of a statement, or the number of rows that it changed. */
export type StatementResult = { readonly rows: Row[] } | { readonly changes: number };

/**
 * Runs a statement of the user inside a write transaction. Throws INVALID_INPUT for a statement that changes the schema
 * of rq, the fence, or lowers the last jid, and for a comparison of times that could be wrong. `now`: the time from which
 * durations ago count. Throws the errors of SQLite for invalid SQL.
 */
export function runStatement(connection: Connection, sql: string, now: string): StatementResult {
  refuseForbidden(sql);
  const before = invariants(connection);
  connection.prepare(sql);
  const isChecked = COMPARING.test(sql.replace(SKIPPED, ''));
  const statement = connection.prepare(
    isChecked ? withStoredTimes({ connection, sql, now, attempted: 'cannot execute' }) : sql,
  );
  const result = statement.reader ? { rows: statement.all() as Row[] } : { changes: statement.run().changes };
  // What users want of hosts and jobs may have changed.
  if (!statement.readonly) raiseControlVersion(connection);
  const after = invariants(connection);
  const changed = [...before].find(([name, value]) => !isKept(name, value, after.get(name)));
  if (changed === undefined) return result;
  throw new RqError('INVALID_INPUT', `cannot execute: the statement would change ${changed[0]}, which rq needs`);
}

function refuseForbidden(sql: string): void {
  const bare = sql.replace(SKIPPED, '');
  const isForbidden = FORBIDDEN.test(bare) || (/^PRAGMA\b/i.test(bare) && !READING_PRAGMA.test(bare));
  if (!isForbidden) return;
  const words = bare.split(/\s+/).slice(0, 2).join(' ');
  throw new RqError('INVALID_INPUT', `cannot execute ${words}: rq runs every statement in its own transaction`);
}

/**
 * The values that a statement must not change: the SQL of schema objects, the fence, the version, and the last jid,
 * which may grow.
 */
function invariants(connection: Connection): Map<string, string | number> {
  const own = connection.all(OBJECTS).filter((row) => OWN.has(String(row['name'])));
  const objects = own.map((row): [string, string] => {
    return [`the ${String(row['type'])} ${String(row['name'])}`, String(row['sql'])];
  });
  return new Map<string, string | number>([
    ...objects,
    ['the last jid', lastJid(connection)],
    ['the fence in operations', readFence(connection)],
    ['the schema version', connection.version()],
  ]);
}

function isKept(name: string, before: string | number, after: string | number | undefined): boolean {
  if (name === 'the last jid') return Number(after) >= Number(before);
  return after === before;
}

import { RqError } from '../job/errors.ts';
import type { Connection, Row } from './connection.ts';
import { readFence } from './operations.ts';
import { SCHEMA } from './schema.ts';
import { lastJid } from './submissions.ts';

const OBJECTS = 'SELECT type, name, sql FROM sqlite_schema ORDER BY name';

/** Statements that would end, divide or leave the transaction that they are run in. */
const FORBIDDEN = /^(?:BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|ATTACH|DETACH|VACUUM)\b/i;
const READING_PRAGMA =
  /^PRAGMA\s+(?:(?:table_info|table_xinfo|index_list|index_info|index_xinfo|foreign_key_list)\s*\(.*\)|(?:integrity_check|quick_check|foreign_key_check|table_list|user_version|schema_version|page_count|page_size|freelist_count|compile_options|encoding|collation_list|function_list))\s*;?\s*$/is;
/** What SQLite passes over in front of a statement: blanks, comments, and statements of nothing. */
const NOTHING = /^(?:[\s;]+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/;

/** Tables, indexes and views of rq's own; users may add others. */
const OWN = new Set([...SCHEMA.matchAll(/^CREATE (?:TABLE|INDEX|VIEW) (\w+)/gm)].map(([, name]) => name));

/** What a statement gave: its rows, or how many rows it changed. */
export type StatementResult = { readonly rows: Row[] } | { readonly changes: number };

/**
 * Runs one statement of the user's inside a write transaction. Throws INVALID_INPUT for one that would undo what the
 * queue rests on: its tables, its fence, jids that are never used again; all else that is wrong is SQLite's error.
 */
export function runStatement(connection: Connection, sql: string): StatementResult {
  refuseForbidden(sql);
  const before = foundations(connection);
  const statement = connection.prepare(sql);
  const result = statement.reader ? { rows: statement.all() as Row[] } : { changes: statement.run().changes };
  const after = foundations(connection);
  const changed = [...before].find(([name, value]) => !isKept(name, value, after.get(name)));
  if (changed === undefined) return result;
  throw new RqError('INVALID_INPUT', `cannot execute: it would change ${changed[0]}, which the queue rests on`);
}

function refuseForbidden(sql: string): void {
  const bare = sql.replace(NOTHING, '');
  const isForbidden = FORBIDDEN.test(bare) || (/^PRAGMA\b/i.test(bare) && !READING_PRAGMA.test(bare));
  if (!isForbidden) return;
  const words = bare.split(/\s+/).slice(0, 2).join(' ');
  throw new RqError('INVALID_INPUT', `cannot execute ${words}: the statement runs inside a transaction of rq's`);
}

/** What must be the same afterwards, or grow: objects of the schema by their SQL, the last jid, the fence. */
function foundations(connection: Connection): Map<string, string | number> {
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

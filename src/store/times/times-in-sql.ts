import { COLUMN_NAMES, columnOf } from '../../job/columns.ts';
import { isDateFunction, Operands, type TimeContext } from './operands.ts';
import { SqlReader, type TimeNames } from './sql-reader.ts';
import { sqlTokens, type Token } from './sql-tokens.ts';

/** The tables and views of users that have a column of such a name. */
const NAMESAKES = `SELECT name FROM sqlite_schema
  WHERE type IN ('table', 'view') AND name NOT IN ('jobs', 'earlier_attempts', 'attempts')
  AND EXISTS (SELECT 1 FROM pragma_table_xinfo(sqlite_schema.name) AS c, json_each(?) AS t WHERE lower(c.name) = t.value)`;

const TIME_COLUMNS: TimeNames = new Map(
  COLUMN_NAMES.filter((name) => columnOf[name].kind === 'time').map((name) => [name, { kind: 'time' }]),
);

/**
 * SQL of a user, with the literals that it compares with times replaced by times as rq stores them. Throws INVALID_INPUT
 * for a comparison that could be wrong. SQLite must have accepted the SQL.
 */
export function withStoredTimes(context: TimeContext): string {
  const { sql } = context;
  const tokens = sqlTokens(sql);
  if (!tokens.some(mayBeTime)) return sql;
  const operands = readAll(context, tokens);
  if (operands.edits.size > 0) refuseNamesakes(context, tokens, operands);
  let result = sql;
  for (const [start, { end, text }] of [...operands.edits].sort(([a], [b]) => b - a)) {
    result = result.slice(0, start) + text + result.slice(end);
  }
  return result;
}

function mayBeTime({ kind, value }: Token): boolean {
  const isName = kind === 'word' || kind === 'name';
  return isName && (TIME_COLUMNS.has(value.toLowerCase()) || isDateFunction(value.toUpperCase()));
}

/** Reads the SQL again after it was found to give other names to times. */
function readAll(context: TimeContext, tokens: readonly Token[]): Operands {
  for (let names = TIME_COLUMNS; ; ) {
    const operands = new Operands(context);
    const reader = new SqlReader(tokens, names, operands);
    reader.read();
    if (reader.aliases.size > 0) {
      names = new Map([...names, ...reader.aliases]);
      continue;
    }
    const [unclear] = reader.unclear;
    if (unclear !== undefined && operands.hasComparison) {
      operands.refuse([unclear], 'renames a column, so rq cannot check the times; use the original name of the column');
    }
    return operands;
  }
}

function refuseNamesakes({ connection }: TimeContext, tokens: readonly Token[], operands: Operands): void {
  const used = new Set(tokens.map(({ value }) => value.toLowerCase()));
  const tables = connection.all(NAMESAKES, [JSON.stringify([...TIME_COLUMNS.keys()])]).map(({ name }) => String(name));
  const table = tables.find((name) => used.has(name.toLowerCase()));
  if (table === undefined) return;
  const fault = `the table ${table} also has a column with the name of a time field; write times in the form 2026-11-28T22:51:00.000Z`;
  operands.refuse([], fault);
}

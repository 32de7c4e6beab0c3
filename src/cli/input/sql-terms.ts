import { columnOf } from '../../job/columns.ts';
import { RqError } from '../../job/errors.ts';
import { isNumeric, isStoredField } from '../../job/fields.ts';
import type { StoredField } from '../../job/job.ts';
import { timeSpan } from '../../job/terms/time-span.ts';

/** `tag=x`, `priority>=5`, `command!~%old%`. A term with a space, quote or parenthesis is SQL. */
const TERM = /^([a-z_]+)(=~|!~|==|!=|<>|<=|>=|=|<|>)([^\s'"()]+)$/;
const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;
const OPERATORS: Readonly<Record<string, string>> = { '=~': 'LIKE', '!~': 'NOT LIKE', '==': '=', '<>': '!=' };

/**
 * Converts the positionals of `query` to an SQL expression. They are terms `key OP value` without spaces, with optional
 * "and" between them, or an SQL expression. Throws USAGE if there are none.
 */
export function queryExpression(positionals: readonly string[]): string {
  const terms = positionals.filter((word) => word !== 'and');
  const simple = terms.map(simpleTerm);
  if (terms.length > 0 && simple.every((term) => term !== undefined)) return simple.join(' AND ');
  const text = positionals.join(' ').trim();
  if (text === '') {
    throw new RqError('USAGE', "cannot query: the expression is empty; give an expression such as 'exit_status != 0'");
  }
  if (text.includes('\0')) throw new RqError('USAGE', 'cannot query: the expression contains a NUL byte; remove it');
  return text;
}

function simpleTerm(word: string): string | undefined {
  const [, key = '', operator = '', value = ''] = TERM.exec(word) ?? [];
  if (!isStoredField(key)) return undefined;
  const sql = OPERATORS[operator] ?? operator;
  // SQLite reserves the word index.
  const column = key === 'index' ? '"index"' : key;
  if (value === 'null') return nullTerm(column, sql);
  if (columnOf[key].kind === 'time' && (sql === '=' || sql === '!=')) return spanTerm(key, sql, value);
  if (columnOf[key].kind === 'boolean' && /^(?:true|false)$/.test(value)) return `${column} ${sql} ${value}`;
  return `${column} ${sql} ${NUMBER.test(value) && isNumeric(key) ? value : `'${value}'`}`;
}

/** A term for the whole day, minute or second that a value names. */
function spanTerm(key: StoredField, sql: string, value: string): string {
  const { first, last } = timeSpan(key, value);
  return `${key} ${sql === '=' ? '' : 'NOT '}BETWEEN '${first}' AND '${last}'`;
}

function nullTerm(key: string, sql: string): string | undefined {
  if (sql === '=') return `${key} IS NULL`;
  return sql === '!=' ? `${key} IS NOT NULL` : undefined;
}

import { closest } from 'fastest-levenshtein';
import type { Column } from '../columns/column.ts';
import { columnOf, JOB_FIELDS, STORED_FIELDS, type StoredField } from '../columns.ts';
import { RqError } from '../errors.ts';
import type { FieldPair } from '../selection.ts';
import { valueFromText } from './field-text.ts';
import { uniquePrefix } from './names.ts';
import { parseState } from './states.ts';
import { timeSpan } from './time-span.ts';

const KINDS: Readonly<Record<Exclude<Column['kind'], 'map'>, string>> = {
  integer: 'an integer',
  seconds: 'a number of seconds',
  boolean: 'true or false',
  state: 'a state',
  text: 'text',
  time: 'a time',
  file: 'a path',
};

/** Parses `tag=x`, with a field or a unique prefix of one. Throws USAGE. */
export function parsePair(word: string): FieldPair {
  const at = word.indexOf('=');
  const key = word.slice(0, at);
  const value = word.slice(at + 1);
  const field = uniquePrefix(key, STORED_FIELDS, 'field');
  if (field === undefined) {
    if ((JOB_FIELDS as readonly string[]).includes(key)) {
      throw new RqError('USAGE', `cannot select by ${key}: rq determines it when it prints a job; use "why" or "list"`);
    }
    const nearest = closest(key, [...STORED_FIELDS]);
    throw new RqError('USAGE', `cannot select by "${key}": no such field; did you mean ${nearest}?`);
  }
  if (value === '') {
    throw new RqError(
      'USAGE',
      `cannot select by ${word}: the value is empty; use ${field}=null for jobs without a value`,
    );
  }
  if (value === 'null') return { field, value: null };
  if (columnOf[field].kind !== 'time') return { field, value: pairValue(field, value) };
  const { first, last } = timeSpan(field, value);
  return { field, value: first, upTo: last };
}

function pairValue(field: StoredField, value: string): string | number {
  if (field === 'state') return parseState(value, `state=${value}`);
  const parsed = valueFromText(field, value);
  if (parsed === undefined) {
    const { unit, kind: kindName } = columnOf[field];
    if (kindName === 'map') {
      throw new RqError('USAGE', `cannot select by ${field}=${value}: use query "${field} ->> 'NAME' = 'x'"`);
    }
    const kind = unit === undefined ? KINDS[kindName] : `a ${unit}`;
    throw new RqError('USAGE', `cannot select by ${field}=${value}: the value must be ${kind}, or null`);
  }
  return typeof parsed === 'boolean' ? Number(parsed) : parsed;
}

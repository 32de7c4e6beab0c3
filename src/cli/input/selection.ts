import { closest } from 'fastest-levenshtein';
import type { Column } from '../../job/columns/column.ts';
import { columnOf } from '../../job/columns.ts';
import { RqError } from '../../job/errors.ts';
import { isJobField, valueFromText } from '../../job/fields.ts';
import { JOB_STATES, type JobState, STORED_FIELDS, type StoredField } from '../../job/job.ts';
import type { JidRange, Selection } from '../../job/selection.ts';
import { nearestHint } from '../parse/suggestions.ts';
import { timeSpan } from './time-span.ts';

type Pair = Selection['pairs'][number];

const JIDS = /^(\d+)(?:-(\d+))?$/;
const KINDS: Readonly<Record<Exclude<Column['kind'], 'map'>, string>> = {
  integer: 'an integer',
  seconds: 'a number of seconds',
  boolean: 'true or false',
  state: 'a state',
  text: 'text',
  time: 'a time',
  file: 'a path',
};

/**
 * Parses selectors (`42`, `10-20`, `1,3,7-9`, `pending`, `p`, `failed`, `all`, `tag=x`, `exit_status=null`) as a
 * selection. Without selectors, nothing is selected. Throws USAGE.
 */
export function parseSelection(args: readonly string[]): Selection {
  const ranges: JidRange[] = [];
  const states = new Set<JobState>();
  const pairs: Pair[] = [];
  let all = false;
  let failed = false;
  for (const word of args) {
    if (word.includes('=')) {
      pairs.push(parsePair(word));
      continue;
    }
    for (const part of word.split(',')) {
      const range = parseRange(part);
      if (range !== undefined) ranges.push(range);
      else if (part === 'all') all = true;
      else if (part === 'failed') failed = true;
      else states.add(parseState(part, word));
    }
  }
  return { all, ranges, states: [...states], pairs, ...(failed ? { failed } : {}) };
}

/** Whether a selection selects nothing in any queue. */
export function isEmptySelection(selection: Selection): boolean {
  const { all, failed = false, ranges, states, pairs } = selection;
  return !all && !failed && ranges.length === 0 && states.length === 0 && pairs.length === 0;
}

/** Parses a jid. Throws USAGE. */
export function parseJid(word: string): number {
  const jid = Number(word);
  if (/^\d+$/.test(word) && jid > 0 && Number.isSafeInteger(jid)) return jid;
  throw new RqError('USAGE', `"${word}" is not a jid: give an integer of at least 1`);
}

/** Returns the name that equals the text or is the only one that starts with it; undefined for none. Throws USAGE. */
export function uniquePrefix<Name extends string>(
  text: string,
  names: readonly Name[],
  kind: string,
): Name | undefined {
  const exact = names.find((name) => name === text);
  if (exact !== undefined) return exact;
  const matches = text === '' ? [] : names.filter((name) => name.startsWith(text));
  if (matches.length <= 1) return matches[0];
  throw new RqError('USAGE', `the ${kind} "${text}" is ambiguous: give ${matches.join(' or ')}`);
}

function parseRange(part: string): JidRange | undefined {
  const match = JIDS.exec(part);
  if (match?.[1] === undefined) return undefined;
  const first = parseJid(match[1]);
  const last = match[2] === undefined ? first : parseJid(match[2]);
  if (first <= last) return { first, last };
  throw new RqError('USAGE', `the range ${part} is reversed: give ${last}-${first}`);
}

function parseState(part: string, word: string): JobState {
  const state = uniquePrefix(part.toLowerCase(), JOB_STATES, 'state');
  if (state !== undefined) return state;
  const shown = part === word ? `"${word}"` : `"${part}" in "${word}"`;
  const hint = nearestHint(part.toLowerCase(), [...JOB_STATES, 'failed', 'all']);
  const advice = `jids (42, 10-20, 1,3), states (${JOB_STATES.join(' ')}), failed, key=value, or all`;
  throw new RqError('USAGE', `${shown} is not a valid selection${hint === '' ? ': give' : `${hint} Give`} ${advice}`);
}

function parsePair(word: string): Pair {
  const at = word.indexOf('=');
  const key = word.slice(0, at);
  const value = word.slice(at + 1);
  const field = uniquePrefix(key, STORED_FIELDS, 'field');
  if (field === undefined) {
    if (isJobField(key)) {
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

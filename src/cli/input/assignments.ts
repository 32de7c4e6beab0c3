import { resolve } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { columnOf, SUBMITTER_FIELDS } from '../../job/columns.ts';
import { RqError } from '../../job/errors.ts';
import { isJobField } from '../../job/fields.ts';
import { givenDue } from '../../job/placement/due-time.ts';
import { valueFromText } from '../../job/terms/field-text.ts';
import { isFileKind } from '../../queue/files/stored-names.ts';
import type { JobChange } from '../../queue/jobs/job-change.ts';
import { checkEntry } from '../../yaml/entry.ts';
import { requireReadable } from './readable-path.ts';
import { workingDirectory } from './working-directory.ts';

const KEYS = [...SUBMITTER_FIELDS, 'state'] as const;
type Key = (typeof KEYS)[number];
/** The keys that the value null clears. */
export const NULLABLE: readonly Key[] = KEYS.filter((key) => !columnOf[key].isRequired);

/**
 * Divides the positionals of `update` into assignments (`key=value`) and selectors. With the word `set`, `key=value` before
 * it is a selector. Throws USAGE for a word after `set` that is not an assignment.
 */
export function splitAssignments(positionals: readonly string[]): { assignments: string[]; selectors: string[] } {
  const isAssignment = (word: string): boolean => word.includes('=');
  const set = positionals.indexOf('set');
  if (set === -1) {
    const selectors = positionals.filter((word) => !isAssignment(word));
    return { assignments: positionals.filter(isAssignment), selectors };
  }
  const assignments = positionals.slice(set + 1);
  const other = assignments.find((word) => !isAssignment(word));
  if (other === undefined) return { assignments, selectors: positionals.slice(0, set) };
  throw new RqError('USAGE', `cannot update: after the word "set", give KEY=VALUE, not "${other}"`);
}

/**
 * Parses assignments as a change of waiting jobs; the value null clears a field. Relative paths start at the working
 * directory. Throws USAGE for an unknown, empty or repeated key, INVALID_INPUT for an invalid value or an unreadable
 * file.
 */
export function readAssignments(assignments: readonly string[], environment: NodeJS.ProcessEnv): JobChange {
  const change: Record<string, unknown> = {};
  for (const word of assignments) {
    const at = word.indexOf('=');
    const key = keyOf(word.slice(0, at), word);
    if (Object.hasOwn(change, key)) throw new RqError('USAGE', `cannot update: ${key} is specified twice`);
    change[key] = assignedValue(key, word.slice(at + 1), environment);
  }
  return change;
}

function keyOf(name: string, word: string): Key {
  const key = KEYS.find((each) => each === name);
  if (key !== undefined) return key;
  if (name === '') throw new RqError('USAGE', `cannot update: "${word}" has no field before the "="; give KEY=VALUE`);
  const hint = isJobField(name)
    ? 'rq sets this field itself.'
    : `no such field; did you mean ${closest(name, [...KEYS])}?`;
  throw new RqError('USAGE', `cannot update "${name}": ${hint} The fields that you can update are ${KEYS.join(', ')}`);
}

function assignedValue(key: Key, text: string, environment: NodeJS.ProcessEnv): string | number | boolean | null {
  if (text === 'null') {
    if (NULLABLE.includes(key)) return null;
    throw new RqError('INVALID_INPUT', `cannot update: ${key} cannot be null; only ${NULLABLE.join(', ')} can be null`);
  }
  if (key === 'state') {
    if (text === 'pending' || text === 'holding') return text;
    throw new RqError('INVALID_INPUT', `cannot update: state must be pending or holding, not "${text}"`);
  }
  // The script is read before it is copied.
  if (isFileKind(key) && key !== 'script') {
    const path = resolve(checked(key, text));
    requireReadable(path, key, 'cannot update');
    return path;
  }
  if (key === 'cwd' && text !== '' && !text.startsWith('/')) {
    return checked(key, `${workingDirectory(environment)}/${text}`);
  }
  if (columnOf[key].kind === 'map') {
    throw new RqError('USAGE', `cannot update: set ${key} with the option --${key}; ${key}=null clears it`);
  }
  if (key === 'due') return checked(key, String(givenDue(text)));
  // Text that does not fit the field stays text, and the check refuses it.
  return checked(key, valueFromText(key, text) ?? text);
}

function checked<Value extends string | number | boolean>(key: Key, value: Value): Value {
  checkEntry([[key, value]], () => 'cannot update');
  return value;
}

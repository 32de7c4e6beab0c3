import { resolve } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { RqError } from '../../job/errors.ts';
import { JOB_FIELDS } from '../../job/job.ts';
import type { JobChange } from '../../queue/jobs/job-change.ts';
import { checkEntry } from '../../yaml/entry.ts';
import { requireReadable } from './readable-path.ts';
import { workingDirectory } from './working-directory.ts';

const KEYS = ['command', 'priority', 'tag', 'runners', 'restartable', 'stdin', 'data', 'cwd', 'state'] as const;
type Key = (typeof KEYS)[number];
const NULLABLE: readonly Key[] = ['tag', 'runners', 'stdin', 'data'];

/** Words of `update`, told apart: what is assigned (`key=value`) and what selects. */
export function splitAssignments(words: readonly string[]): { assignments: string[]; others: string[] } {
  const isAssignment = (word: string): boolean => word.includes('=');
  return { assignments: words.filter(isAssignment), others: words.filter((word) => !isAssignment(word)) };
}

/**
 * Reads `key=value` words as a change of waiting jobs; null clears. Relative paths are of the working directory. Throws USAGE for an
 * unknown, empty or repeated key, INVALID_INPUT for a value out of range or a file that cannot be read.
 */
export function readAssignments(words: readonly string[], environment: NodeJS.ProcessEnv): JobChange {
  const change: Record<string, unknown> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    const key = keyOf(word.slice(0, at), word);
    if (Object.hasOwn(change, key)) throw new RqError('USAGE', `cannot update: ${key} is given twice`);
    change[key] = assignedValue(key, word.slice(at + 1), environment);
  }
  return change;
}

function keyOf(name: string, word: string): Key {
  const key = KEYS.find((each) => each === name);
  if (key !== undefined) return key;
  if (name === '') throw new RqError('USAGE', `cannot update: "${word}" has no key before its =`);
  const isFixed = (JOB_FIELDS as readonly string[]).includes(name);
  const hint = isFixed ? 'it is not for you to set.' : `did you mean ${closest(name, [...KEYS])}?`;
  throw new RqError('USAGE', `cannot update the field "${name}": ${hint} There are ${KEYS.join(', ')}`);
}

function assignedValue(key: Key, text: string, environment: NodeJS.ProcessEnv): string | number | boolean | null {
  if (text === 'null') {
    if (NULLABLE.includes(key)) return null;
    throw new RqError('INVALID_INPUT', `cannot update: ${key} cannot be null, only ${NULLABLE.join(', ')} can`);
  }
  if (key === 'state') {
    if (text === 'pending' || text === 'holding') return text;
    throw new RqError('INVALID_INPUT', `cannot update: state must be pending or holding, not "${text}"`);
  }
  if (key === 'stdin' || key === 'data') {
    const path = resolve(checked(key, text));
    requireReadable(path, key, 'cannot update');
    return path;
  }
  if (key === 'cwd' && text !== '' && !text.startsWith('/')) {
    return checked(key, `${workingDirectory(environment)}/${text}`);
  }
  return checked(key, typed(key, text));
}

/** Text as the type that the field has; what does not fit it stays text, and is refused by the check. */
function typed(key: Key, text: string): string | number | boolean {
  if (key === 'priority' && /^[+-]?\d+$/.test(text)) return Number(text);
  if (key === 'restartable' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

function checked<Value extends string | number | boolean>(key: Key, value: Value): Value {
  checkEntry([[key, value]], () => 'cannot update');
  return value;
}

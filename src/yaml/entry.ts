import { isAbsolute } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { RqError } from '../job/errors.ts';
import { JOB_FIELDS } from '../job/job.ts';
import {
  MAX_COMMAND_BYTES,
  MAX_PATH_BYTES,
  MAX_PRIORITY,
  MAX_RUNNERS_BYTES,
  MAX_TAG_BYTES,
  MIN_PRIORITY,
} from '../job/limits.ts';

/** What a submitter says of one job, each value checked; what is not said is absent. */
export interface JobEntry {
  command?: string;
  priority?: number;
  tag?: string;
  runners?: string;
  restartable?: boolean;
  cwd?: string;
  stdin?: string;
  data?: string;
}

/** Names the place of a value for an error message: `line 3 of jobs.txt`. Called only if something is wrong. */
export type Place = () => string;

type Check = (value: unknown, key: string) => string | undefined;

/** Each returns what is wrong with a value, in words that follow the field's name. */
const CHECKS: Readonly<Record<keyof JobEntry, Check>> = {
  command: (value) => textFault(value, MAX_COMMAND_BYTES) ?? (isBlank(value) ? 'is empty' : undefined),
  priority: (value) =>
    Number.isInteger(value) && Number(value) >= MIN_PRIORITY && Number(value) <= MAX_PRIORITY
      ? undefined
      : `must be a whole number from ${MIN_PRIORITY} to ${MAX_PRIORITY}, not ${shown(value)}`,
  tag: (value) => textFault(value, MAX_TAG_BYTES) ?? emptyFault(value) ?? controlFault(value),
  runners: (value) => textFault(value, MAX_RUNNERS_BYTES) ?? runnersFault(String(value)),
  restartable: (value) => (typeof value === 'boolean' ? undefined : `must be true or false, not ${shown(value)}`),
  cwd: (value) => pathFault(value) ?? (isAbsolute(String(value)) ? undefined : 'must be an absolute path'),
  stdin: (value) => pathFault(value),
  data: (value) => pathFault(value),
};

const RUNNER = /^[A-Za-z0-9._*?[\]-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Takes from one job's keys and values what a submitter may set; other fields of a job are left out, a null counts as
 * not said. Throws INVALID_INPUT for an unknown key or a wrong value.
 */
export function checkEntry(raw: Iterable<readonly [string, unknown]>, place: Place): JobEntry {
  const entry: Record<string, unknown> = {};
  for (const [key, value] of raw) {
    if (!isSettable(key)) {
      if (!(JOB_FIELDS as readonly string[]).includes(key)) throw unknownKey(key, place);
      continue;
    }
    if (value === null || value === undefined) continue;
    const fault = CHECKS[key](value, key);
    if (fault !== undefined) throw new RqError('INVALID_INPUT', `${place()}: ${key} ${fault}`);
    entry[key] = value;
  }
  return entry;
}

/** The fault of a command that stands alone, in words that follow "command"; undefined if it is fine. */
export function commandFault(command: string): string | undefined {
  return CHECKS.command(command, 'command');
}

function isSettable(key: string): key is keyof JobEntry {
  return Object.hasOwn(CHECKS, key);
}

function unknownKey(key: string, place: Place): RqError {
  const nearest = closest(key, [...JOB_FIELDS]);
  const known = Object.keys(CHECKS).join(', ');
  return new RqError(
    'INVALID_INPUT',
    `${place()}: there is no field ${shown(key)}, did you mean ${nearest}? A submitter sets ${known}`,
  );
}

function textFault(value: unknown, maxBytes: number): string | undefined {
  if (typeof value !== 'string') return `must be text, not ${shown(value)}: put it in quotes`;
  if (value.includes('\0')) return 'holds a NUL byte';
  if (LONE_SURROGATE.test(value)) return 'is not valid Unicode';
  // A UTF-16 unit has at most three bytes, so most text need not be measured.
  if (value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes) return `is longer than ${maxBytes} bytes`;
  return undefined;
}

function pathFault(value: unknown): string | undefined {
  return textFault(value, MAX_PATH_BYTES) ?? emptyFault(value);
}

function emptyFault(value: unknown): string | undefined {
  return value === '' ? 'is empty' : undefined;
}

function controlFault(value: unknown): string | undefined {
  return CONTROL.test(String(value)) ? 'must be one line without control characters' : undefined;
}

function runnersFault(value: string): string | undefined {
  if (value.split(',').every((name) => RUNNER.test(name))) return undefined;
  return `must be host names or globs with commas between them, such as node1,gpu*, not ${shown(value)}`;
}

function isBlank(value: unknown): boolean {
  return String(value).trim() === '';
}

function shown(value: unknown): string {
  // JSON has no infinity.
  const text = (typeof value === 'number' ? undefined : JSON.stringify(value)) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

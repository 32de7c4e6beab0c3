import { isAbsolute } from 'node:path';
import { durationText } from './quantities/duration.ts';
import { exactSizeText } from './quantities/size.ts';
import { parseWarning } from './quantities/warning.ts';

/** The fault of a value, as text that follows the field's name ("is empty"); undefined for a valid value. */
export type Fault = string | undefined;

/**
 * `command line` is text that is not blank; `host patterns` are names or globs, comma-separated; `warning` is a signal and
 * a duration.
 */
export type TextForm = 'text' | 'line' | 'command line' | 'host patterns' | 'warning' | 'path' | 'absolute path';

const HOST_PATTERN = /^[A-Za-z0-9._*?[\]-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it finds.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const MAX_SHOWN_LENGTH = 60;

export function integerFault(value: unknown, min: number, max: number): Fault {
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return undefined;
  return `must be a whole number from ${min} to ${max}, not ${shownValue(value)}`;
}

const UNITS = {
  duration: { text: durationText, examples: 'a duration, such as 90 (seconds), 5m, 2h or 1h30m,' },
  size: { text: exactSizeText, examples: 'a size, such as 512M or 4G,' },
} as const;

/** The fault of a number of seconds or bytes, or of text that is not one. */
export function quantityFault(value: unknown, unit: keyof typeof UNITS, [min, max]: readonly [number, number]): Fault {
  if (integerFault(value, min, max) === undefined) return undefined;
  const { text, examples } = UNITS[unit];
  const shown = Number.isSafeInteger(value) && Number(value) >= 0 ? text(Number(value)) : shownValue(value);
  return `must be ${examples} from ${text(min)} to ${text(max)}, not ${shown}`;
}

export function booleanFault(value: unknown): Fault {
  return typeof value === 'boolean' ? undefined : `must be true or false, not ${shownValue(value)}`;
}

export function formFault(value: unknown, form: TextForm, maxBytes = Number.POSITIVE_INFINITY): Fault {
  if (typeof value !== 'string') return `must be text, not ${shownValue(value)}: put it in quotes`;
  return textFault(value, maxBytes) ?? FORM_FAULTS[form](value);
}

function textFault(text: string, maxBytes: number): Fault {
  if (text.includes('\0')) return 'contains a NUL byte';
  if (LONE_SURROGATE.test(text)) return 'is not valid Unicode';
  // A UTF-16 unit takes at most three bytes of UTF-8, so most text need not be measured.
  if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) return `is longer than ${maxBytes} bytes`;
  return undefined;
}

const FORM_FAULTS: Readonly<Record<TextForm, (text: string) => Fault>> = {
  text: () => undefined,
  line: (text) => emptyFault(text) ?? (CONTROL.test(text) ? 'must be one line without control characters' : undefined),
  'command line': (text) => emptyFault(text.trim()),
  'host patterns': (text) =>
    text.split(',').every((name) => HOST_PATTERN.test(name))
      ? undefined
      : `must be host names or globs, separated by commas, such as node1,gpu*, not ${shownValue(text)}`,
  warning: (text) =>
    parseWarning(text) === undefined
      ? `must be a signal that a job can catch and a duration, such as USR2@60s, not ${shownValue(text)}`
      : undefined,
  path: emptyFault,
  'absolute path': (text) => emptyFault(text) ?? (isAbsolute(text) ? undefined : 'must be an absolute path'),
};

function emptyFault(text: string): Fault {
  return text === '' ? 'is empty' : undefined;
}

/** The fault of a time, which must be in the form in which rq stores times. */
export function timeFault(value: unknown): Fault {
  const isStored = typeof value === 'string' && !Number.isNaN(Date.parse(value)) && isoForm(value) === value;
  return isStored ? undefined : `must be a time such as 2026-12-01T22:00:00.000Z, not ${shownValue(value)}`;
}

function isoForm(text: string): string {
  return new Date(text).toISOString();
}

/** A value as an error message shows it: as JSON, shortened. */
export function shownValue(value: unknown): string {
  // JSON has no infinity.
  const text = (typeof value === 'number' ? undefined : JSON.stringify(value)) ?? String(value);
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH - 3)}...` : text;
}

import { isAbsolute } from 'node:path';
import { MAX_PATH_BYTES } from './limits.ts';

/** What is wrong with a value, in words that follow the field's name ("is empty"); undefined for a valid value. */
export type Fault = string | undefined;

const HOST_PATTERN = /^[A-Za-z0-9._*?[\]-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it finds.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const MAX_SHOWN_LENGTH = 60;

export function integerFault(value: unknown, min: number, max: number): Fault {
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return undefined;
  return `must be a whole number from ${min} to ${max}, not ${shownValue(value)}`;
}

export function booleanFault(value: unknown): Fault {
  return typeof value === 'boolean' ? undefined : `must be true or false, not ${shownValue(value)}`;
}

export function textFault(value: unknown, maxBytes: number): Fault {
  if (typeof value !== 'string') return `must be text, not ${shownValue(value)}: put it in quotes`;
  if (value.includes('\0')) return 'contains a NUL byte';
  if (LONE_SURROGATE.test(value)) return 'is not valid Unicode';
  // A UTF-16 unit takes at most three bytes of UTF-8, so most text need not be measured.
  if (value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes) return `is longer than ${maxBytes} bytes`;
  return undefined;
}

/** Text that contains more than blanks. */
export function commandLineFault(value: unknown, maxBytes: number): Fault {
  return textFault(value, maxBytes) ?? (String(value).trim() === '' ? 'is empty' : undefined);
}

/** One line of text without control characters. */
export function lineFault(value: unknown, maxBytes: number): Fault {
  const fault = textFault(value, maxBytes) ?? emptyFault(value);
  if (fault !== undefined) return fault;
  return CONTROL.test(String(value)) ? 'must be one line without control characters' : undefined;
}

/** Host names or globs, comma-separated. */
export function hostPatternsFault(value: unknown, maxBytes: number): Fault {
  const fault = textFault(value, maxBytes);
  if (fault !== undefined) return fault;
  if (
    String(value)
      .split(',')
      .every((name) => HOST_PATTERN.test(name))
  )
    return undefined;
  return `must be host names or globs, separated by commas, such as node1,gpu*, not ${shownValue(value)}`;
}

export function pathFault(value: unknown): Fault {
  return textFault(value, MAX_PATH_BYTES) ?? emptyFault(value);
}

export function absolutePathFault(value: unknown): Fault {
  return pathFault(value) ?? (isAbsolute(String(value)) ? undefined : 'must be an absolute path');
}

/** A value as an error message shows it: as JSON, shortened. */
export function shownValue(value: unknown): string {
  // JSON has no infinity.
  const text = (typeof value === 'number' ? undefined : JSON.stringify(value)) ?? String(value);
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH - 3)}...` : text;
}

function emptyFault(value: unknown): Fault {
  return value === '' ? 'is empty' : undefined;
}

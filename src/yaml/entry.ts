import { closest } from 'fastest-levenshtein';
import { JOB_FIELDS, type JobEntry, SUBMITTER_FIELDS } from '../job/columns.ts';
import { RqError } from '../job/errors.ts';
import { fieldCheck, givenValue, isJobField } from '../job/fields.ts';
import { shownValue } from '../job/value-faults.ts';

export type { JobEntry };

/** The beginning of an error message: `cannot submit job 1 of stdin (line 3)`. Called only for an error. */
export type ErrorPrefix = () => string;

/**
 * Checks the keys and values of one job, and returns the fields that a submitter sets. Other fields of a job and null
 * values are left out. Durations and sizes may be given as text. Throws INVALID_INPUT for an unknown key or an invalid value.
 */
export function checkEntry(raw: Iterable<readonly [string, unknown]>, prefix: ErrorPrefix): JobEntry {
  const entry: Record<string, unknown> = {};
  for (const [key, given] of raw) {
    const check = fieldCheck(key);
    if (check === undefined) {
      if (!isJobField(key)) throw unknownKey(key, prefix);
      continue;
    }
    if (given === null || given === undefined) continue;
    const value = givenValue(key, given);
    const fault = check(value);
    if (fault !== undefined) throw new RqError('INVALID_INPUT', `${prefix()}: ${key} ${fault}`);
    // The YAML library returns maps.
    entry[key] = value instanceof Map ? Object.fromEntries(value) : value;
  }
  return entry;
}

function unknownKey(key: string, prefix: ErrorPrefix): RqError {
  const nearest = closest(key, [...JOB_FIELDS]);
  const settable = SUBMITTER_FIELDS.join(', ');
  return new RqError(
    'INVALID_INPUT',
    `${prefix()}: there is no field ${shownValue(key)}; did you mean ${nearest}? The fields that you can set are ${settable}`,
  );
}

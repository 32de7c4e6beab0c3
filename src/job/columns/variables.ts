import { MAX_ENV_BYTES, MAX_NAME_BYTES, MAX_VARIABLE_BYTES } from '../limits.ts';
import { parseJson } from '../printable.ts';
import { type Fault, formFault, shownValue } from '../value-faults.ts';

/** Environment variables of a job, by name. */
export type Variables = Readonly<Record<string, string>>;

/** A name that every shell accepts (POSIX.1-2017, 3.235). */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** rq sets these variables itself. */
const RESERVED = /^RQ(?:_|$)/;

/** The fault of the name of a variable, as text that follows the name. */
export function nameFault(name: string): Fault {
  if (!NAME.test(name)) {
    return 'must consist of letters, digits and "_", and must not begin with a digit';
  }
  if (name.length > MAX_NAME_BYTES) return `is longer than ${MAX_NAME_BYTES} bytes`;
  if (RESERVED.test(name)) return 'is set by rq: choose a name other than RQ that does not begin with RQ_';
  return name === 'PWD' ? 'is the working directory of the job: set it with --cwd' : undefined;
}

/** The fault of the variables of a job: an object, or a Map as the YAML library returns it. */
export function variablesFault(value: unknown): Fault {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `must be a map of names and values, not ${shownValue(value)}`;
  }
  const entries: [unknown, unknown][] = value instanceof Map ? [...value] : Object.entries(value);
  for (const [name, text] of entries) {
    const fault = nameFault(String(name));
    if (fault !== undefined) return `cannot contain ${shownValue(name)}: the name ${fault}`;
    const valueFault = formFault(text, 'text', MAX_VARIABLE_BYTES);
    if (valueFault !== undefined) return `sets ${String(name)} to a value that ${valueFault}`;
  }
  const bytes = Buffer.byteLength(JSON.stringify(Object.fromEntries(entries)));
  return bytes > MAX_ENV_BYTES
    ? `has ${bytes} bytes as JSON; the limit is ${MAX_ENV_BYTES}: name fewer variables`
    : undefined;
}

/**
 * The variables in the JSON text of a row; null if it is not an object. Leaves out what rq refuses, because SQL of a user
 * may have written the row.
 */
export function variablesFromText(text: string): Variables | null {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value).map(([name, each]): [string, string] => {
    return [name, typeof each === 'string' ? each : JSON.stringify(each)];
  });
  return Object.fromEntries(entries.filter(([name, each]) => nameFault(name) === undefined && !each.includes('\0')));
}

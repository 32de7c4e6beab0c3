import { variablesFromText } from '../job/columns/variables.ts';
import { COLUMN_NAMES, type ColumnName, columnOf, STORED_FIELDS } from '../job/columns.ts';
import { RqError } from '../job/errors.ts';
import { isNumeric } from '../job/fields.ts';
import { JOB_STATES, type Job } from '../job/job.ts';
import { MAX_COMMAND_BYTES } from '../job/limits.ts';
import type { Row } from './connection.ts';
import { sqlName } from './job-columns.ts';

const BOOLEANS = STORED_FIELDS.filter((name) => columnOf[name].kind === 'boolean');
const MAPS = STORED_FIELDS.filter((name) => columnOf[name].kind === 'map');

/**
 * The SELECT list of a job. Text longer than rq accepts is read as empty or NULL: SQLite knows the length without reading
 * the text, and a gigabyte of it would exhaust the memory of the reader.
 */
export const JOB_COLUMNS = STORED_FIELDS.map(guarded).join(', ');

/** The condition that every text which a submission sets has a length that rq accepts. */
export const HAS_VALID_LENGTHS = COLUMN_NAMES.filter(isSubmittedText)
  .map((name) => `coalesce(octet_length(${sqlName(name)}), 0) <= ${MAX_COMMAND_BYTES}`)
  .join(' AND ');

function isSubmittedText(name: ColumnName): boolean {
  const { kind, setBy } = columnOf[name];
  return !isNumeric(name) && kind !== 'state' && (setBy === 'rq' || setBy === 'submitter');
}

function guarded(name: ColumnName): string {
  if (isNumeric(name)) return sqlName(name);
  const { isRequired, states } = columnOf[name];
  const substitute = isRequired && states === 'any' ? "''" : 'NULL';
  return `iif(octet_length(${name}) > ${MAX_COMMAND_BYTES}, ${substitute}, ${name}) AS ${name}`;
}

/** A row of `jobs` as a job. The constraints of the schema guarantee the fields of each state. */
export function jobFromRow(row: Row): Job {
  if (!(JOB_STATES as readonly unknown[]).includes(row['state'])) {
    throw new RqError(
      'QUEUE_DAMAGED',
      `cannot read job ${String(row['jid'])}: the state ${String(row['state'])} is not valid; run: rq QUEUE recover`,
    );
  }
  const job: Record<string, unknown> = { ...row };
  for (const name of BOOLEANS) if (row[name] !== null || columnOf[name].isRequired) job[name] = row[name] === 1;
  for (const name of MAPS) {
    const text = row[name];
    if (typeof text === 'string') job[name] = variablesFromText(text);
  }
  return job as unknown as Job;
}

/** The values of columns as parameters of a statement. SQLite has no booleans, and stores maps as JSON. */
export function valuesOf(row: Readonly<Record<string, unknown>>, columns: readonly ColumnName[]): Row[string][] {
  return columns.map((name) => {
    const value = row[name];
    if (typeof value === 'object' && value !== null) return JSON.stringify(value);
    return (typeof value === 'boolean' ? Number(value) : value) as Row[string];
  });
}

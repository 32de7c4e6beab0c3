import type { TextOption } from './columns/column.ts';
import { variablesFault } from './columns/variables.ts';
import {
  type ColumnName,
  columnOf,
  JOB_FIELDS,
  type JobEntry,
  type JobField,
  SUBMITTER_FIELDS,
  type SubmitterField,
  type SubmitterFields,
} from './columns.ts';
import { booleanFault, type Fault, formFault, integerFault } from './value-faults.ts';

/** Whether a name is a field of a job. */
export function isJobField(name: string): name is JobField {
  return (JOB_FIELDS as readonly string[]).includes(name);
}

/** Whether a field holds a number, which SQL writes without quotes. */
export function isNumeric(field: ColumnName): boolean {
  return ['integer', 'seconds', 'boolean'].includes(columnOf[field].kind);
}

/** The options of `submit` that set one column of text each. */
export const TEXT_OPTIONS: readonly (TextOption & { readonly field: SubmitterField })[] = SUBMITTER_FIELDS.flatMap(
  (field) => {
    const { option } = columnOf[field];
    return option === undefined ? [] : [{ field, ...option }];
  },
);

/** The value that a text means for a field; undefined for text that does not fit it. The text `null` is not special. */
export function valueFromText(field: ColumnName, text: string): string | number | boolean | undefined {
  switch (columnOf[field].kind) {
    case 'integer':
      return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
    case 'seconds':
      return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
    case 'boolean':
      return text === 'true' || text === 'false' ? text === 'true' : undefined;
    case 'state':
    case 'text':
    case 'time':
    case 'file':
      return text;
    case 'map':
      return undefined;
  }
}

/** Returns the fault of a value. */
type Check = (value: unknown) => Fault;

const CHECKS = new Map<string, Check>(SUBMITTER_FIELDS.map((name) => [name, checkOf(name)]));

/** The check of a field that a submitter sets; undefined for any other name. */
export function fieldCheck(name: string): Check | undefined {
  return CHECKS.get(name);
}

function checkOf(name: SubmitterField): Check {
  const { kind, range, form = 'text', maxBytes } = columnOf[name];
  if (kind === 'boolean') return booleanFault;
  if (kind === 'map') return variablesFault;
  if (range !== undefined) return (value) => integerFault(value, ...range);
  return (value) => formFault(value, form, maxBytes);
}

/** The fields of a job to submit: those that are absent get their initial values. */
export function completeEntry(entry: JobEntry & Pick<SubmitterFields, 'command' | 'cwd'>): SubmitterFields {
  const fields = SUBMITTER_FIELDS.map((name) => [name, entry[name] ?? columnOf[name].initial ?? null]);
  return Object.fromEntries(fields) as SubmitterFields;
}

/**
 * A copy of a job with those of the named fields that the entry sets. To copy a complete job takes a tenth of the time
 * of assembling one from several objects.
 */
export function withEntry<Fields extends SubmitterFields>(
  job: Fields,
  entry: JobEntry,
  names: readonly SubmitterField[],
): Fields {
  const copy = { ...job };
  const fields: Record<string, unknown> = copy;
  for (const name of names) {
    const value = entry[name];
    if (value !== undefined) fields[name] = value;
  }
  return copy;
}

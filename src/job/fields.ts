import type { Column, TextOption } from './columns/column.ts';
import { variablesFault } from './columns/variables.ts';
import {
  type ColumnName,
  columnOf,
  JOB_FIELDS,
  type JobEntry,
  type JobField,
  STORED_FIELDS,
  type StoredField,
  SUBMITTER_FIELDS,
  type SubmitterField,
  type SubmitterFields,
} from './columns.ts';
import { backoffFault, retryOnFault } from './control/retry-policy.ts';
import { dependenciesFault, dependenciesText } from './placement/dependencies.ts';
import { dueFault, givenDue } from './placement/due-time.ts';
import { lanesFault } from './placement/lanes.ts';
import { needsFault } from './placement/needs.ts';
import { durationText } from './quantities/duration.ts';
import { parseWarning } from './quantities/warning.ts';
import { quantityFromText } from './terms/field-text.ts';
import { booleanFault, type Fault, formFault, integerFault, quantityFault } from './value-faults.ts';

/** Whether a name is a field of a job. */
export function isJobField(name: string): name is JobField {
  return (JOB_FIELDS as readonly string[]).includes(name);
}

/** Whether a name is a field of a job that the database holds. */
export function isStoredField(name: string): name is StoredField {
  return (STORED_FIELDS as readonly string[]).includes(name);
}

/** Whether a field holds a number, which SQL writes without quotes. */
export function isNumeric(field: ColumnName): boolean {
  return ['integer', 'seconds', 'boolean'].includes(columnOf[field].kind);
}

/** The options of `submit` whose text sets one column each. */
export const TEXT_OPTIONS: readonly (TextOption & { readonly field: SubmitterField })[] = SUBMITTER_FIELDS.flatMap(
  (field) => {
    const { option } = columnOf[field];
    return option === undefined ? [] : [{ field, ...option }];
  },
);

/** The value that a submitter means: a number for text such as `2h` or `4G` where the field has a unit, and a due time. */
export function givenValue(name: string, given: unknown): unknown {
  if (name === 'after') return dependenciesText(given);
  if (name === 'due') return givenDue(given);
  const unit = UNITS.get(name);
  // Text that is no quantity stays text, and the check refuses it.
  return unit === undefined || typeof given !== 'string' ? given : (quantityFromText(given, unit) ?? given);
}

const LIST_FAULTS = {
  backoff: backoffFault,
  failures: retryOnFault,
  lanes: lanesFault,
  needs: needsFault,
  dependencies: dependenciesFault,
} as const;

/** Returns the fault of a value. */
type Check = (value: unknown) => Fault;

const UNITS = new Map(SUBMITTER_FIELDS.map((name) => [name as string, columnOf[name].unit]));
const CHECKS = new Map<string, Check>(SUBMITTER_FIELDS.map((name) => [name, checkOf(name)]));

/** The check of a field that a submitter sets; undefined for any other name. */
export function fieldCheck(name: string): Check | undefined {
  return CHECKS.get(name);
}

function checkOf(name: SubmitterField): Check {
  const { kind, range, unit, form = 'text', maxBytes } = columnOf[name];
  if (kind === 'boolean') return booleanFault;
  if (kind === 'map') return variablesFault;
  if (range !== undefined && unit !== undefined) return (value) => quantityFault(value, unit, range);
  if (range !== undefined) return (value) => integerFault(value, ...range);
  if (kind === 'time') return dueFault;
  if (!isListForm(form)) return (value) => formFault(value, form, maxBytes);
  const fault = LIST_FAULTS[form];
  return (value) => formFault(value, 'line', maxBytes) ?? fault(String(value));
}

function isListForm(form: NonNullable<Column['form']>): form is keyof typeof LIST_FAULTS {
  return form in LIST_FAULTS;
}

/** The fault of fields that are valid each, but not together, as text that follows an action and a colon. */
export function combinationFault({ time_limit, warn }: Pick<SubmitterFields, 'time_limit' | 'warn'>): Fault {
  const warning = warn === null ? undefined : parseWarning(warn);
  if (warning === undefined) return undefined;
  if (time_limit === null) return `warn=${warn} requires a time limit; give one, or no warning`;
  if (warning.beforeS < time_limit) return undefined;
  return `warn=${warn} must be less than the time limit of ${durationText(time_limit)} before its end`;
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

import type { Column } from './columns/column.ts';
import { COURSE_COLUMNS } from './columns/course-columns.ts';
import { INTERNAL_COLUMNS } from './columns/internal-columns.ts';
import { PLACEMENT_COLUMNS } from './columns/placement-columns.ts';
import { PROCESS_COLUMNS } from './columns/process-columns.ts';
import { REQUEST_COLUMNS } from './columns/request-columns.ts';
import type { Variables } from './columns/variables.ts';

/**
 * The columns in the order in which they are printed. Schema, SQL statements, types, printing, selections, checks and
 * options are derived from this table.
 */
const COLUMNS = {
  ...COURSE_COLUMNS,
  ...REQUEST_COLUMNS,
  ...PLACEMENT_COLUMNS,
  ...PROCESS_COLUMNS,
  ...INTERNAL_COLUMNS,
} as const satisfies Record<string, Column>;

export type Columns = typeof COLUMNS;
export type ColumnName = keyof Columns;

/** The same table with the common type of its entries. */
export const columnOf: Readonly<Record<ColumnName, Column>> = COLUMNS;
export const COLUMN_NAMES = Object.keys(COLUMNS) as readonly ColumnName[];

type Internal = { [Name in ColumnName]: Columns[Name] extends { isInternal: true } ? Name : never }[ColumnName];
/** A field of a job that a column holds. */
export type StoredField = Exclude<ColumnName, Internal>;
export const STORED_FIELDS = COLUMN_NAMES.filter(
  (name) => columnOf[name].isInternal !== true,
) as readonly StoredField[];

/** A field that rq determines when it prints a job, and the field that it follows. */
const COMPUTED_FIELD = 'waits_for';
const COMPUTED_AFTER: StoredField = 'reason';
/** A field of a printed job. */
export type JobField = StoredField | typeof COMPUTED_FIELD;
/** A job's fields in the order in which they are printed. */
export const JOB_FIELDS: readonly JobField[] = STORED_FIELDS.flatMap((name) =>
  name === COMPUTED_AFTER ? [name, COMPUTED_FIELD] : [name],
);

/** A field that a submitter sets. */
export type SubmitterField = {
  [Name in ColumnName]: Columns[Name]['setBy'] extends 'submitter' ? Name : never;
}[ColumnName];
export const SUBMITTER_FIELDS = COLUMN_NAMES.filter(
  (name) => columnOf[name].setBy === 'submitter',
) as readonly SubmitterField[];

/** The value of a column in the states in which it may have one. */
export type ValueOf<Name extends ColumnName> =
  | (Columns[Name]['isRequired'] extends true ? never : null)
  | (Columns[Name]['kind'] extends 'integer' | 'seconds'
      ? number
      : Columns[Name]['kind'] extends 'boolean'
        ? boolean
        : Columns[Name]['kind'] extends 'map'
          ? Variables
          : string);

export type SubmitterFields = { readonly [Name in SubmitterField]: ValueOf<Name> };

/** The fields that a submitter set for one job; the others are absent. */
export type JobEntry = { -readonly [Name in SubmitterField]?: NonNullable<ValueOf<Name>> };

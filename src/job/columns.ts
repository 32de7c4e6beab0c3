import type { Column } from './column.ts';
import {
  MAX_COMMAND_BYTES,
  MAX_NOTE_BYTES,
  MAX_PATH_BYTES,
  MAX_PRIORITY,
  MAX_RUNNERS_BYTES,
  MAX_TAG_BYTES,
  MIN_PRIORITY,
} from './limits.ts';

/**
 * The columns in the order in which they are printed. Schema, SQL statements, types, printing, selections, checks and
 * options are derived from this table.
 */
const COLUMNS = {
  jid: {
    kind: 'integer',
    states: 'any',
    isRequired: true,
    setBy: 'rq',
    since: 1,
    sql: 'PRIMARY KEY AUTOINCREMENT',
    comment: 'a jid is never reused, even after the job is deleted',
  },
  priority: {
    kind: 'integer',
    states: 'any',
    isRequired: true,
    setBy: 'submitter',
    since: 1,
    sql: `DEFAULT 0 CHECK (priority BETWEEN ${MIN_PRIORITY} AND ${MAX_PRIORITY})`,
    range: [MIN_PRIORITY, MAX_PRIORITY],
    initial: 0,
  },
  state: { kind: 'state', states: 'any', isRequired: true, setBy: 'rq', since: 1 },
  submitted: { kind: 'time', states: 'any', isRequired: true, setBy: 'rq', since: 1 },
  started: { kind: 'time', states: 'claimed', isRequired: true, setBy: 'claim', since: 1 },
  finished: { kind: 'time', states: 'ended', isRequired: true, setBy: 'end', since: 1 },
  elapsed: {
    kind: 'seconds',
    states: 'ended',
    isRequired: false,
    setBy: 'end',
    since: 1,
    sql: 'CHECK (elapsed >= 0)',
    comment: 'run time in seconds, measured with a monotonic clock',
  },
  submitter: {
    kind: 'text',
    states: 'any',
    isRequired: true,
    setBy: 'rq',
    since: 1,
    comment: 'the host from which the job was submitted',
  },
  owner: {
    kind: 'text',
    states: 'any',
    isRequired: true,
    setBy: 'rq',
    since: 1,
    comment: 'the user who submitted the job',
  },
  runner: {
    kind: 'text',
    states: 'claimed',
    isRequired: true,
    setBy: 'claim',
    since: 1,
    comment: 'the host that runs or ran the job',
  },
  pid: {
    kind: 'integer',
    states: 'claimed',
    isRequired: false,
    setBy: 'claim',
    since: 1,
    sql: 'CHECK (pid > 0)',
    comment: 'null until the runner reports the pid',
  },
  exit_status: { kind: 'integer', states: 'ended', isRequired: false, setBy: 'end', since: 1 },
  signal: {
    kind: 'text',
    states: 'ended',
    isRequired: false,
    setBy: 'end',
    since: 1,
    sql: `CHECK (state <> 'finished' OR (exit_status IS NULL) <> (signal IS NULL))`,
  },
  reason: {
    kind: 'text',
    states: 'dead',
    isRequired: true,
    setBy: 'end',
    since: 1,
    comment: 'why the job is dead',
  },
  attempt: {
    kind: 'integer',
    states: 'any',
    isRequired: true,
    setBy: 'claim',
    since: 1,
    sql: `DEFAULT 0 CHECK (attempt >= 0) CHECK (attempt > 0 OR state IN ('pending', 'holding'))`,
    comment: 'number of attempts that began, for display; a claimed job counts as begun until its host releases it',
  },
  tag: {
    kind: 'text',
    states: 'any',
    isRequired: false,
    setBy: 'submitter',
    since: 1,
    form: 'line',
    maxBytes: MAX_TAG_BYTES,
    option: {
      name: 'tag',
      short: 't',
      value: 'TEXT',
      help: `Tag for selecting the job, at most ${MAX_TAG_BYTES} bytes.`,
    },
  },
  note: {
    kind: 'text',
    states: 'any',
    isRequired: false,
    setBy: 'submitter',
    since: 3,
    form: 'text',
    maxBytes: MAX_NOTE_BYTES,
    option: { name: 'note', value: 'TEXT', help: 'Free-text comment on the job, which rq does not interpret.' },
  },
  restartable: {
    kind: 'boolean',
    states: 'any',
    isRequired: true,
    setBy: 'submitter',
    since: 1,
    sql: 'DEFAULT 0 CHECK (restartable IN (0, 1))',
    initial: false,
  },
  runners: {
    kind: 'text',
    states: 'any',
    isRequired: false,
    setBy: 'submitter',
    since: 1,
    comment: 'comma-separated names or globs of the hosts that may run the job',
    form: 'host patterns',
    maxBytes: MAX_RUNNERS_BYTES,
    option: {
      name: 'runner',
      value: 'HOST,…',
      help: 'Run the job only on these hosts. rq matches each name or glob against the full and the short host name.',
    },
  },
  cwd: {
    kind: 'text',
    states: 'any',
    isRequired: true,
    setBy: 'submitter',
    since: 1,
    form: 'absolute path',
    maxBytes: MAX_PATH_BYTES,
  },
  stdin: {
    kind: 'file',
    states: 'any',
    isRequired: false,
    setBy: 'submitter',
    since: 1,
    form: 'path',
    maxBytes: MAX_PATH_BYTES,
  },
  stdout: { kind: 'file', states: 'any', isRequired: false, setBy: 'claim', since: 1 },
  stderr: { kind: 'file', states: 'any', isRequired: false, setBy: 'claim', since: 1 },
  data: {
    kind: 'file',
    states: 'any',
    isRequired: false,
    setBy: 'submitter',
    since: 1,
    form: 'path',
    maxBytes: MAX_PATH_BYTES,
  },
  command: {
    kind: 'text',
    states: 'any',
    isRequired: true,
    setBy: 'submitter',
    since: 1,
    sql: `CHECK (octet_length(command) BETWEEN 1 AND ${MAX_COMMAND_BYTES})`,
    form: 'command line',
    maxBytes: MAX_COMMAND_BYTES,
  },
  boot: {
    kind: 'text',
    states: 'claimed',
    isRequired: false,
    setBy: 'claim',
    since: 1,
    isInternal: true,
    sql: `CHECK (boot IS NOT NULL OR state <> 'running')`,
    comment: 'boot id of the host when it claimed the job',
  },
  claim: {
    kind: 'integer',
    states: 'any',
    isRequired: true,
    setBy: 'claim',
    since: 3,
    isInternal: true,
    sql: 'DEFAULT 0 CHECK (claim >= 0)',
    ofOlder: 'attempt',
    comment: 'number of claims; with the jid it identifies an execution, and is never reused',
  },
  losses: {
    kind: 'integer',
    states: 'any',
    isRequired: true,
    setBy: 'end',
    since: 3,
    isInternal: true,
    sql: 'DEFAULT 0 CHECK (losses >= 0)',
    ofOlder: '0',
    comment: 'number of attempts that were lost with their hosts',
  },
  is_lost: {
    kind: 'boolean',
    states: 'dead',
    isRequired: false,
    setBy: 'end',
    since: 3,
    isInternal: true,
    sql: 'CHECK (is_lost IN (0, 1))',
    comment: 'whether the job is dead because it was lost: its host may still report the real end',
  },
  failed_starts: {
    kind: 'text',
    states: 'any',
    isRequired: false,
    setBy: 'end',
    since: 3,
    isInternal: true,
    sql: 'CHECK (json_valid(failed_starts))',
    comment: 'the hosts that could not start the job, as JSON',
  },
  journal: {
    kind: 'text',
    states: 'claimed',
    isRequired: false,
    setBy: 'claim',
    since: 1,
    isInternal: true,
    sql: `CHECK (journal IS NOT NULL OR state <> 'running')`,
    comment: 'id of the journal that records the attempt',
  },
} as const satisfies Record<string, Column>;

export type Columns = typeof COLUMNS;
export type ColumnName = keyof Columns;

/** The same table with the common type of its entries. */
export const columnOf: Readonly<Record<ColumnName, Column>> = COLUMNS;
export const COLUMN_NAMES = Object.keys(COLUMNS) as readonly ColumnName[];

type Internal = { [Name in ColumnName]: Columns[Name] extends { isInternal: true } ? Name : never }[ColumnName];
/** A field of a job: a column that is printed. */
export type JobField = Exclude<ColumnName, Internal>;
/** A job's fields in the order in which they are printed. */
export const JOB_FIELDS = COLUMN_NAMES.filter((name) => columnOf[name].isInternal !== true) as readonly JobField[];

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
        : string);

export type SubmitterFields = { readonly [Name in SubmitterField]: ValueOf<Name> };

/** The fields that a submitter set for one job; the others are absent. */
export type JobEntry = { -readonly [Name in SubmitterField]?: NonNullable<ValueOf<Name>> };

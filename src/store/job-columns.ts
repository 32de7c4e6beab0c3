import { COLUMN_NAMES, type ColumnName, columnOf, SUBMITTER_FIELDS } from '../job/columns.ts';
import { JOB_STATES, type JobState, STATE_GROUPS } from '../job/states.ts';

const SQL_TYPES = {
  integer: 'INTEGER',
  boolean: 'INTEGER',
  seconds: 'REAL',
  state: 'TEXT',
  text: 'TEXT',
  time: 'TEXT',
  file: 'TEXT',
  map: 'TEXT',
} as const;

/** SQLite reserves this word, so that the column must be quoted. */
const QUOTED = new Set<ColumnName>(['index']);

/** The name of a column in a statement. */
export function sqlName(name: ColumnName): string {
  return QUOTED.has(name) ? `"${name}"` : name;
}

/** All columns of `jobs` in the order of the table: a column that a migration adds is the last one. */
export const ROW_COLUMNS: readonly ColumnName[] = [...COLUMN_NAMES].sort(
  (a, b) => columnOf[a].since - columnOf[b].since,
);

/** The columns that rq itself sets when a job is submitted. */
export const RQ_COLUMNS: readonly ColumnName[] = ROW_COLUMNS.filter((name) => columnOf[name].setBy === 'rq');
/** The columns that an INSERT of a submission sets. */
export const SUBMISSION_COLUMNS: readonly ColumnName[] = [...RQ_COLUMNS, ...SUBMITTER_FIELDS];

/** The columns of one attempt: they have no value in a job that waits. */
const CLAIM_COLUMNS: readonly ColumnName[] = ROW_COLUMNS.filter((name) => columnOf[name].states !== 'any');

const ATTEMPT_KEY: readonly ColumnName[] = ['jid', 'attempt', 'runner', 'pid'];
/** The columns of `earlier_attempts` and of the view `attempts`. */
export const ATTEMPT_COLUMNS: readonly ColumnName[] = [
  ...ATTEMPT_KEY,
  ...CLAIM_COLUMNS.filter((name) => !ATTEMPT_KEY.includes(name) && columnOf[name].isInternal !== true),
];
export const ATTEMPT_LIST = ATTEMPT_COLUMNS.join(', ');
const ENDED_COLUMNS = ATTEMPT_COLUMNS.filter((name) => !['jid', 'attempt', 'runner'].includes(name));
/** The value at the end of an attempt: the reported one, or else the one that the start recorded. */
const KEPT_BY_END: readonly ColumnName[] = ['pid', 'devices'];

/** The SET list that writes how an attempt ended, and the SELECT list of the ended attempt in place of its row. */
export const SET_END = ENDED_COLUMNS.map((name) => `${name} = ${endValue(name)}`).join(', ');
export const END_VALUES = ATTEMPT_COLUMNS.map((name) => (ENDED_COLUMNS.includes(name) ? endValue(name) : name)).join(
  ', ',
);

/** The columns of a change, and the SET list that sets them in this order. */
export const CHANGED_COLUMNS: readonly ColumnName[] = ['state', ...SUBMITTER_FIELDS];
export const SET_CHANGED = CHANGED_COLUMNS.map((name) => `${sqlName(name)} = ?`).join(', ');
/** The SET list that removes the attempt from the row of a job. */
export const CLEAR_CLAIM = CLAIM_COLUMNS.map((name) => `${name} = NULL`).join(', ');

/** An INSERT of a row, with its values in the order of the columns. */
export function insertSql(table: string, columns: readonly ColumnName[]): string {
  return `INSERT INTO ${table} (${columns.map(sqlName).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
}

/** The definition of a column in CREATE TABLE and in ALTER TABLE. */
export function columnSql(name: ColumnName): string {
  const { kind, sql } = columnOf[name];
  return [sqlName(name), SQL_TYPES[kind], nullSql(name), sql, sizeSql(name), statesSql(name)].filter(Boolean).join(' ');
}

/** The definition of the same column in `earlier_attempts`, whose rows all have ended. */
export function attemptColumnSql(name: ColumnName): string {
  const { kind, isRequired, states } = columnOf[name];
  const references = name === 'jid' ? 'REFERENCES jobs (jid) ON DELETE CASCADE' : '';
  return [name, SQL_TYPES[kind], isRequired && states !== 'dead' ? 'NOT NULL' : '', references]
    .filter(Boolean)
    .join(' ');
}

function endValue(name: ColumnName): string {
  return KEPT_BY_END.includes(name) ? `coalesce(:${name}, ${name})` : `:${name}`;
}

function nullSql(name: ColumnName): string {
  const { isRequired, states, sql } = columnOf[name];
  return isRequired && states === 'any' && sql?.startsWith('PRIMARY KEY') !== true ? 'NOT NULL' : '';
}

function sizeSql(name: ColumnName): string {
  const { form, kind, maxBytes } = columnOf[name];
  return form === 'text' || form === 'line' || kind === 'map' ? `CHECK (octet_length(${name}) <= ${maxBytes})` : '';
}

function statesSql(name: ColumnName): string {
  const { isOptionalIfDead, isRequired, kind, states } = columnOf[name];
  if (kind === 'state') return `CHECK (${name} IN (${sqlList(JOB_STATES)}))`;
  if (states === 'any') return '';
  const inStates = statesCondition(STATE_GROUPS[states]);
  if (!isRequired) return `CHECK (${name} IS NULL OR ${inStates})`;
  const check = `(${name} IS NOT NULL) = (${inStates})`;
  return isOptionalIfDead === true ? `CHECK (${check} OR (state = 'dead' AND ${name} IS NULL))` : `CHECK (${check})`;
}

/** Uses the shorter list: SQLite compares with up to two values directly, and builds an index of a longer list. */
function statesCondition(states: readonly JobState[]): string {
  const others = JOB_STATES.filter((state) => !states.includes(state));
  return others.length < states.length ? `state NOT IN (${sqlList(others)})` : `state IN (${sqlList(states)})`;
}

function sqlList(states: readonly JobState[]): string {
  return states.map((state) => `'${state}'`).join(', ');
}

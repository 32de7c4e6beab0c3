import { type ColumnName, columnOf } from '../job/columns.ts';
import { ATTEMPT_COLUMNS, attemptColumnSql, columnSql, ROW_COLUMNS, sqlName } from './job-columns.ts';
import { PLACEMENT_INDEXES, PLACEMENT_TABLES, PLACEMENT_TRIGGERS } from './placement-schema.ts';

/** The version that added the table `rotations`. Later versions add only columns. */
const ROTATIONS_VERSION = 2;
/** The version in which a queue has an id. */
const ID_VERSION = 3;

/** `PRAGMA user_version` of a queue that this rq makes and understands: the version of the newest column. */
export const SCHEMA_VERSION = Math.max(ROTATIONS_VERSION, ...ROW_COLUMNS.map((name) => columnOf[name].since));

/** The indexes that an exchange reads besides these. They are empty in a queue without failures, kills and pauses. */
const CONTROL_INDEXES = `CREATE INDEX jobs_delayed ON jobs (due)
  WHERE state = 'pending' AND (due IS NOT NULL OR failed_starts IS NOT NULL);
CREATE INDEX jobs_wishes ON jobs (runner)
  WHERE (state = 'running' OR is_lost = 1) AND (kill_at IS NOT NULL OR paused IS NOT NULL);`;

const FINISHED_INDEX = `CREATE INDEX jobs_finished ON jobs (finished, elapsed, exit_status, reason) WHERE state = 'finished';`;

const JOBS_TABLE = `CREATE TABLE jobs (
${commented(ROW_COLUMNS)}
) STRICT`;

const JOBS = `
-- One row for each job. Times are ISO 8601 in UTC. Paths are relative to the queue, which each host may mount elsewhere.
${JOBS_TABLE};

CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_tag ON jobs (tag) WHERE tag IS NOT NULL;
${CONTROL_INDEXES}
${PLACEMENT_INDEXES}
${FINISHED_INDEX}
`;

const EARLIER_ATTEMPTS = `
-- Attempts that another attempt of the same job followed. The latest attempt of a job is in its row of jobs.
CREATE TABLE earlier_attempts (
  ${ATTEMPT_COLUMNS.map(attemptColumnSql).join(',\n  ')},
  PRIMARY KEY (jid, attempt)
) STRICT, WITHOUT ROWID;
`;

const ATTEMPTS = `
-- One row for each attempt.
CREATE VIEW attempts AS
  SELECT ${ATTEMPT_COLUMNS.join(', ')} FROM earlier_attempts
  UNION ALL
  SELECT ${ATTEMPT_COLUMNS.join(', ')} FROM jobs
  WHERE started IS NOT NULL;
`;

const QUEUE = `
-- The settings that 'rq configure' shows and changes.
CREATE TABLE attributes (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Committed transactions, by the generation of the lease that they held. The highest generation is the fence.
CREATE TABLE operations (
  generation INTEGER PRIMARY KEY,
  operation  TEXT NOT NULL,
  committed  TEXT NOT NULL
) STRICT;
`;

const ROTATIONS = `
-- Rotations whose jobs were deleted here and that may not be in place yet. The next 'rq rotate' finishes them.
CREATE TABLE rotations (
  id        TEXT PRIMARY KEY,
  partial   TEXT NOT NULL,  -- where the complete rotation is
  path      TEXT NOT NULL,  -- where it will be moved to
  files     TEXT NOT NULL,  -- files to remove from the queue: a JSON list of names
  committed TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

const ORDERS = `
-- Signals that are to be sent to attempts. The journal of the runner remembers each id, which is never reused.
CREATE TABLE orders (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  jid    INTEGER NOT NULL REFERENCES jobs (jid) ON DELETE CASCADE,
  claim  INTEGER NOT NULL,
  signal TEXT NOT NULL,
  sender TEXT NOT NULL,  -- user and host
  sent   TEXT NOT NULL
) STRICT;
CREATE INDEX orders_by_jid ON orders (jid);
`;

/** The schema of a new queue. */
export const SCHEMA =
  JOBS + EARLIER_ATTEMPTS + ATTEMPTS + QUEUE + ROTATIONS + ORDERS + PLACEMENT_TABLES + PLACEMENT_TRIGGERS;

/** The table whose checks changed in `CHECKS_VERSION`, and its definition. Its columns are the same as in a migrated table. */
export const REDEFINED_TABLE = { name: 'jobs', sql: JOBS_TABLE } as const;
/** In this version, a job can be dead without an attempt, and a finished job can have a reason. */
export const CHECKS_VERSION = 3;

/** The migrations from a version to this one. Each statement runs in the transaction of the caller. */
export function migrationsFrom(version: number): string[] {
  return Array.from({ length: SCHEMA_VERSION - version }, (_, index) => migrationTo(version + index + 1));
}

const ROTATIONS_VIEW = `CREATE TEMP VIEW IF NOT EXISTS rotations AS
  SELECT '' AS id, '' AS partial, '' AS path, '' AS files, '' AS committed WHERE false`;

/** Temporary views that show the tables of an older version as this version has them; a missing column is NULL. */
export function viewsOfOlder(version: number): string[] {
  const views = version < ROTATIONS_VERSION ? [ROTATIONS_VIEW] : [];
  for (const [table, columns] of [
    ['jobs', ROW_COLUMNS],
    ['earlier_attempts', ATTEMPT_COLUMNS],
  ] as const) {
    const missing = columns
      .filter((name) => columnOf[name].since > version)
      .map((name) => `${columnOf[name].ofOlder ?? 'NULL'} AS ${sqlName(name)}`);
    if (missing.length === 0) continue;
    views.push(`CREATE TEMP VIEW IF NOT EXISTS ${table} AS SELECT *, ${missing.join(', ')} FROM main.${table}`);
  }
  return views;
}

/** Removes these views. */
export const DROP_VIEWS = ['rotations', 'jobs', 'earlier_attempts'].map((name) => `DROP VIEW IF EXISTS temp.${name}`);

const DROP_INDEXES = 'DROP INDEX jobs_claimable; DROP INDEX jobs_constrained; DROP INDEX jobs_finished;';

function migrationTo(version: number): string {
  const tables = version === ROTATIONS_VERSION ? [ROTATIONS] : [];
  const added = (table: string, columns: readonly ColumnName[], definition: (name: ColumnName) => string): string[] =>
    columns
      .filter((name) => columnOf[name].since === version)
      .map((name) => `ALTER TABLE ${table} ADD COLUMN ${definition(name)};`);
  const attempts = added('earlier_attempts', ATTEMPT_COLUMNS, attemptColumnSql);
  const view = attempts.length === 0 ? [] : ['DROP VIEW attempts;', ATTEMPTS];
  const id = version === ID_VERSION ? ["INSERT INTO attributes VALUES ('id', lower(hex(randomblob(16))));"] : [];
  const control =
    version === CHECKS_VERSION
      ? [DROP_INDEXES, FINISHED_INDEX, CONTROL_INDEXES, PLACEMENT_INDEXES, ORDERS, PLACEMENT_TABLES, PLACEMENT_TRIGGERS]
      : [];
  const values = ROW_COLUMNS.filter((name) => columnOf[name].since === version).flatMap((name) => {
    const { ofOlder } = columnOf[name];
    return ofOlder === undefined ? [] : [`${name} = ${ofOlder}`];
  });
  const update = values.length === 0 ? [] : [`UPDATE jobs SET ${values.join(', ')};`];
  return [...tables, ...added('jobs', ROW_COLUMNS, columnSql), ...update, ...id, ...control, ...attempts, ...view].join(
    '\n',
  );
}

/** The definition of each column with its comment. */
function commented(columns: readonly ColumnName[]): string {
  const lines = columns.map((name, index) => {
    const { comment } = columnOf[name];
    const definition = `  ${columnSql(name)}${index < columns.length - 1 ? ',' : ''}`;
    return comment === undefined ? definition : `${definition}  -- ${comment}`;
  });
  return lines.join('\n');
}

import { type Job, type JobState, type Outcome, STORED_FIELDS, type StoredField } from '../job/job.ts';
import type { JidRange, Selection } from '../job/selection.ts';
import type { Connection, Row } from './connection.ts';
import { sqlName } from './job-columns.ts';
import { JOB_COLUMNS, jobFromRow } from './job-rows.ts';

const FROM_ALL = `SELECT ${JOB_COLUMNS} FROM jobs WHERE jid > :after AND jid <= :upTo`;
const FROM_STATE = `SELECT ${JOB_COLUMNS} FROM jobs WHERE state = :state AND jid > :after AND jid <= :upTo`;
const FROM_FAILED = `SELECT ${JOB_COLUMNS} FROM jobs
  WHERE state = 'finished' AND (exit_status IS NOT 0 OR reason IS NOT NULL) AND jid > :after AND jid <= :upTo`;
const FROM_DEAD = `SELECT ${JOB_COLUMNS} FROM jobs WHERE state = 'dead' AND jid > :after AND jid <= :upTo`;
const FROM_TAG = `SELECT ${JOB_COLUMNS} FROM jobs WHERE tag = :tag AND jid > :after AND jid <= :upTo`;
const FROM_ARRAY = `SELECT ${JOB_COLUMNS} FROM jobs WHERE array = :array AND jid > :after AND jid <= :upTo`;
/** The index of states then reads only the part from the first task of the array to the last. */
const WITHIN_ARRAY = ` AND jid >= (SELECT min(jid) FROM jobs WHERE array = :array)
  AND jid <= (SELECT max(jid) FROM jobs WHERE array = :array)`;
const FROM_RANGES = `SELECT ${JOB_COLUMNS} FROM json_each(:ranges) AS range CROSS JOIN jobs
  WHERE jid BETWEEN max(range.value ->> 0, :after + 1) AND range.value ->> 1`;
const PAGE = 'ORDER BY jid LIMIT :limit';
const OUTCOME_COLUMNS = 'jid, state, exit_status, signal, reason';
const FIND = `SELECT ${JOB_COLUMNS} FROM jobs WHERE jid = ?`;

/** The index has the state and the jid of each job, so that these statements read no rows. */
const ENDED = `SELECT jid FROM json_each(:ranges) AS range CROSS JOIN main.jobs INDEXED BY jobs_by_state
  WHERE state IN ('finished', 'dead') AND jid BETWEEN range.value ->> 0 AND range.value ->> 1 LIMIT :limit`;
const OPEN = `SELECT jid FROM json_each(:ranges) AS range CROSS JOIN main.jobs INDEXED BY jobs_by_state
  WHERE state IN ('pending', 'holding', 'running') AND jid BETWEEN range.value ->> 0 AND range.value ->> 1`;
const COUNT_OPEN = `SELECT state, count(*) AS jobs FROM json_each(:ranges) AS range
  CROSS JOIN main.jobs INDEXED BY jobs_by_state
  WHERE state IN ('pending', 'holding', 'running') AND jid BETWEEN range.value ->> 0 AND range.value ->> 1
  GROUP BY state`;
const MISSING = `SELECT value AS jid FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jid = value)`;

/** The state of a job, and how it ended. */
export interface JobOutcome extends Outcome {
  readonly jid: number;
}

export interface Page {
  /** Only jobs with a higher jid than this. */
  readonly after: number;
  readonly limit: number;
}

/** Runs the SELECT of selected rows, or a statement that contains it. Returns the number of jobs that it selects. */
type ReadPart = (sql: string, parameters: Record<string, string | number | null>) => number;

/** The merged ranges of each selection, shared by all its pages. */
const mergedRanges = new WeakMap<Selection, readonly JidRange[]>();

/** The rows of the first selected jobs after a jid, by ascending jid. */
export function selectRows(connection: Connection, selection: Selection, page: Page, columns = JOB_COLUMNS): Row[] {
  const rows: Row[] = [];
  readParts(selection, page, (sql, parameters) => {
    const part = connection.all(
      sql.replaceAll(JOB_COLUMNS, () => columns),
      parameters,
    );
    rows.push(...part);
    return part.length;
  });
  return rows;
}

/** Reads a page in parts. */
export function readParts(selection: Selection, { after, limit }: Page, read: ReadPart): void {
  let jobs = 0;
  const ranges = rangesAfter(selection, after);
  // Passes `limit` ranges at a time to SQLite: each page would otherwise read all ranges of a long list.
  for (let from = 0, start = after; jobs < limit; from += limit) {
    const isLast = from + limit >= ranges.length;
    const part = ranges.slice(from, from + limit);
    const upTo = isLast ? Number.MAX_SAFE_INTEGER : (part.at(-1)?.last ?? start);
    jobs += readPart(selection, part, { after: start, upTo, limit: limit - jobs }, read);
    if (isLast) break;
    start = upTo;
  }
}

function rangesAfter(selection: Selection, after: number): readonly JidRange[] {
  const merged = mergedRanges.get(selection) ?? mergeRanges(selection.ranges);
  mergedRanges.set(selection, merged);
  const first = merged.findIndex(({ last }) => last > after);
  return first === -1 ? [] : merged.slice(first);
}

/** Reads the selected jobs up to the jid `upTo`; `ranges` contains the ranges up to it. Returns their number. */
function readPart(
  selection: Selection,
  ranges: readonly JidRange[],
  page: Page & { readonly upTo: number },
  read: ReadPart,
): number {
  const parameters: Parameters<ReadPart>[1] = { ...page };
  const equals = selection.pairs.map(({ field, value, upTo }, index) => {
    // The name becomes part of the SQL, so it must be a column.
    if (!STORED_FIELDS.includes(field)) throw new TypeError(`no such column: ${String(field)}`);
    parameters[`value${index}`] = value;
    if (upTo === undefined) return ` AND ${sqlName(field)} IS :value${index}`;
    parameters[`upTo${index}`] = upTo;
    return ` AND ${sqlName(field)} BETWEEN :value${index} AND :upTo${index}`;
  });
  const sources = sourcesOf(selection, ranges, parameters).map((source) => source + equals.join(''));
  if (sources.length === 0) return 0;
  return read(`${sources.join('\nUNION\n')}\n${PAGE}`, parameters);
}

/** The first selected jobs after a jid, by ascending jid. */
export function selectPage(connection: Connection, selection: Selection, page: Page): Job[] {
  return selectRows(connection, selection, page).map(jobFromRow);
}

/** The jids of the first selected jobs after a jid, and how these jobs ended. Reads no other column. */
export function selectOutcomes(connection: Connection, selection: Selection, page: Page): JobOutcome[] {
  return selectRows(connection, selection, page, OUTCOME_COLUMNS) as unknown as JobOutcome[];
}

/** One SELECT for each part of the selection. An index answers each of them in the order of jids. */
function sourcesOf(
  selection: Selection,
  ranges: readonly JidRange[],
  parameters: Record<string, string | number | null>,
): string[] {
  if (selection.all) return [sourceOfPairs(selection, parameters)];
  const sources: string[] = [];
  if (selection.ranges.length > 0) {
    parameters['ranges'] = JSON.stringify(ranges.map(({ first, last }) => [first, last]));
    sources.push(FROM_RANGES);
  }
  const array = pairOf(selection, 'array');
  if (array !== undefined) parameters['array'] = array;
  const within = array === undefined ? '' : WITHIN_ARRAY;
  for (const state of selection.states) {
    parameters[`state_${state}`] = state;
    sources.push(FROM_STATE.replace(':state', `:state_${state}`) + within);
  }
  if (selection.failed === true) sources.push(FROM_FAILED + within, FROM_DEAD + within);
  if (sources.length > 0 || selection.pairs.length === 0) return sources;
  return [sourceOfPairs(selection, parameters)];
}

/** The SELECT of the jobs among which all that match the pairs are, by an index if one of the pairs has one. */
function sourceOfPairs(selection: Selection, parameters: Record<string, string | number | null>): string {
  for (const [name, source] of INDEXED_PAIRS) {
    const value = pairOf(selection, name);
    if (value === undefined) continue;
    parameters[name] = value;
    return source;
  }
  return FROM_ALL;
}

const INDEXED_PAIRS = [
  ['array', FROM_ARRAY],
  ['tag', FROM_TAG],
] as const;

/** The value that a selected job has in a field; undefined for any. */
function pairOf({ pairs }: Selection, name: StoredField): string | number | undefined {
  return pairs.find(({ field, value }) => field === name && value !== null)?.value ?? undefined;
}

/** The same jids as ascending ranges that do not overlap. */
export function mergeRanges(ranges: readonly JidRange[]): JidRange[] {
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of [...ranges].sort((a, b) => a.first - b.first)) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous.last + 1) previous.last = Math.max(previous.last, last);
    else merged.push({ first, last });
  }
  return merged;
}

/** The job with a jid, or undefined. */
export function findJob(connection: Connection, jid: number): Job | undefined {
  const row = connection.get(FIND, [jid]);
  return row === undefined ? undefined : jobFromRow(row);
}

/** The jids of jobs in these ranges that have ended, at most `limit`. */
export function endedJids(connection: Connection, ranges: readonly JidRange[], limit: number): number[] {
  return jidsOf(connection.all(ENDED, { ranges: rangesJson(ranges), limit }));
}

/** The jids of jobs in these ranges that have not ended. */
export function openJids(connection: Connection, ranges: readonly JidRange[]): number[] {
  return jidsOf(connection.all(OPEN, { ranges: rangesJson(ranges) }));
}

/** The number of jobs in these ranges that have not ended, by state. */
export function countOpen(connection: Connection, ranges: readonly JidRange[]): ReadonlyMap<JobState, number> {
  const rows = connection.all(COUNT_OPEN, { ranges: rangesJson(ranges) });
  return new Map(rows.map((row) => [row['state'] as JobState, Number(row['jobs'])]));
}

/** Those of the jids that no job has. */
export function missingJids(connection: Connection, jids: readonly number[]): number[] {
  return jidsOf(connection.all(MISSING, [JSON.stringify(jids)]));
}

function jidsOf(rows: readonly Record<string, unknown>[]): number[] {
  return rows.map((row) => Number(row['jid'])).sort((a, b) => a - b);
}

function rangesJson(ranges: readonly JidRange[]): string {
  return JSON.stringify(ranges.map(({ first, last }) => [first, last]));
}

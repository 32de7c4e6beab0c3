import type { Connection, Row } from './connection.ts';
import { ATTEMPT_COLUMNS, ATTEMPT_LIST, insertSql, ROW_COLUMNS, sqlName } from './job-columns.ts';
import { valuesOf } from './job-rows.ts';

const ENDED = `SELECT ${ROW_COLUMNS.map(sqlName).join(', ')} FROM jobs
  WHERE state = ? AND jid > ? AND finished <= ? ORDER BY jid LIMIT ?`;
const EARLIER = `SELECT ${ATTEMPT_LIST} FROM json_each(?) AS wanted
  JOIN earlier_attempts ON earlier_attempts.jid = wanted.value`;
const ADD_JOB = insertSql('jobs', ROW_COLUMNS);
const ADD_EARLIER = insertSql('earlier_attempts', ATTEMPT_COLUMNS);
const KEYS = 'SELECT jid, attempt, state, finished FROM jobs WHERE jid > ? ORDER BY jid LIMIT ?';
// The unary plus prevents the use of jobs_by_state: the row is found by its jid.
const UNCHANGED = `SELECT jobs.jid FROM json_each(?) AS wanted CROSS JOIN jobs ON jobs.jid = wanted.value ->> 0
  WHERE attempt = wanted.value ->> 1 AND +state = wanted.value ->> 2 AND finished = wanted.value ->> 3`;
const COMMIT = 'INSERT INTO rotations (id, partial, path, files, committed) VALUES (?, ?, ?, ?, ?)';
const UNFINISHED = 'SELECT id, partial, path, files FROM rotations ORDER BY committed';
const FINISH = 'DELETE FROM rotations WHERE id = ?';

/** Identifies the end of a job. A job that ran again since then has another key. */
export interface EndedKey {
  readonly jid: number;
  readonly attempt: number;
  readonly state: string;
  readonly finished: string;
}

/** A committed rotation: its jobs are no longer in the queue. */
export interface CommittedRotation {
  readonly id: string;
  /** The path of the complete rotation, and the path to which it must be moved. */
  readonly partial: string;
  readonly path: string;
  /**
   * Files to remove, relative to the queue; undefined if the record is invalid. Empty if they are in a list beside the
   * rotation.
   */
  readonly files: readonly string[] | undefined;
}

/** Rows of jobs in an ended state that ended at this time or before, by ascending jid, with all columns. */
export function endedRows(
  connection: Connection,
  { state, after, until, limit }: { state: 'finished' | 'dead'; after: number; until: string; limit: number },
): Row[] {
  return connection.all(ENDED, [state, after, until, limit]);
}

export function earlierAttemptRows(connection: Connection, jids: readonly number[]): Row[] {
  return connection.all(EARLIER, [JSON.stringify(jids)]);
}

/** Adds rows with all columns to the database of a rotation. */
export function addRows(connection: Connection, jobs: readonly Row[], earlier: readonly Row[]): void {
  for (const row of jobs) connection.run(ADD_JOB, valuesOf(row, ROW_COLUMNS));
  for (const row of earlier) connection.run(ADD_EARLIER, valuesOf(row, ATTEMPT_COLUMNS));
}

/** The keys of the first jobs after a jid. */
export function endedKeysAfter(connection: Connection, after: number, limit: number): EndedKey[] {
  return connection.all(KEYS, [after, limit]).map((row) => ({
    jid: Number(row['jid']),
    attempt: Number(row['attempt']),
    state: String(row['state']),
    finished: String(row['finished']),
  }));
}

/** The jids of those jobs that have not changed. */
export function unchangedJids(connection: Connection, keys: readonly EndedKey[]): Set<number> {
  const wanted = keys.map(({ jid, attempt, state, finished }) => [jid, attempt, state, finished]);
  return new Set(connection.all(UNCHANGED, [JSON.stringify(wanted)]).map((row) => Number(row['jid'])));
}

/** Records a complete rotation, in the transaction that deletes its jobs from the queue. */
export function commitRotation(
  connection: Connection,
  rotation: CommittedRotation & { files: readonly string[] },
  now: string,
): void {
  connection.run(COMMIT, [rotation.id, rotation.partial, rotation.path, JSON.stringify(rotation.files), now]);
}

/** Committed rotations that may not be in place yet. */
export function unfinishedRotations(connection: Connection): CommittedRotation[] {
  return connection.all(UNFINISHED).map((row) => ({
    id: String(row['id']),
    partial: String(row['partial']),
    path: String(row['path']),
    files: nameList(String(row['files'])),
  }));
}

function nameList(json: string): string[] | undefined {
  try {
    const names: unknown = JSON.parse(json);
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function finishRotation(connection: Connection, id: string): void {
  connection.run(FINISH, [id]);
}

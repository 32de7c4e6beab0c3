import { type FailedStarts, parseFailedStarts } from '../../job/placement/failed-starts.ts';
import { type Requests, type Shape, shapeOf } from '../../job/placement/shape.ts';
import type { Connection, Row } from '../connection.ts';
import { limitedArray, shapeFrom } from './shapes.ts';

/** As many as one exchange makes ready, in the same order. */
const LIMIT = 1_000;
const DUE = `SELECT jid, priority, gate, failed_starts, spec FROM main.jobs LEFT JOIN shapes USING (shape)
  WHERE jid IN (SELECT jid FROM main.jobs INDEXED BY jobs_delayed
    WHERE state = 'pending' AND (due IS NOT NULL OR failed_starts IS NOT NULL) AND due <= :now ORDER BY due LIMIT :limit)`;
const SHAPELESS = `SELECT jid, state, priority, gate, due, failed_starts, owner, runners, cpus, jobs.memory, gpus, needs,
  lanes, arrays.array, at_most, max_fails FROM jobs INDEXED BY jobs_shapeless LEFT JOIN arrays ON arrays.array = jobs.array
  WHERE shape IS NULL AND state IN ('pending', 'running') LIMIT :limit`;

/** A job that an exchange makes ready before it claims: it has become due, or its shape is not determined yet. */
export interface UnreadyJob {
  readonly jid: number;
  /** The negative priority. */
  readonly rank: number;
  readonly shape: Shape;
  readonly failures: FailedStarts;
}

/** The jobs that the next exchange makes ready at a time by the clock of the file server. */
export function unreadyJobs(connection: Connection, serverNow: string): UnreadyJob[] {
  const due = connection.all(DUE, { now: serverNow, limit: LIMIT });
  const cleared = new Set(due.map(({ jid }) => jid));
  const found = due.flatMap((row) => {
    return row['gate'] === null && row['spec'] !== null ? unready(row, shapeFrom(connection, String(row['spec']))) : [];
  });
  const shapeless = connection.all(SHAPELESS, { limit: LIMIT }).flatMap((row) => {
    const isReady =
      row['state'] === 'pending' && row['gate'] === null && (row['due'] === null || cleared.has(row['jid']));
    return isReady ? unready(row, shapeOf(row as unknown as Requests, limitedArray(row))) : [];
  });
  return [...found, ...shapeless].sort((a, b) => a.rank - b.rank || a.jid - b.jid);
}

function unready({ jid, priority, failed_starts }: Row, shape: Shape): UnreadyJob {
  return { jid: Number(jid), rank: -Number(priority), shape, failures: parseFailedStarts(failed_starts) };
}

import { type FailedStarts, parseFailedStarts } from '../../job/placement/failed-starts.ts';
import { type Requests, shapeOf, shapeText } from '../../job/placement/shape.ts';
import type { Connection, Row } from '../connection.ts';
import { HAS_VALID_LENGTHS } from '../job-rows.ts';
import { limitedArray } from './shapes.ts';

/** As many as one exchange makes ready, in the same order. */
const LIMIT = 1_000;
const DUE = `SELECT jid, priority, gate, failed_starts, shape, spec FROM main.jobs LEFT JOIN shapes USING (shape)
  WHERE jid IN (SELECT jid FROM main.jobs INDEXED BY jobs_delayed
    WHERE state = 'pending' AND (due IS NOT NULL OR failed_starts IS NOT NULL) AND due <= :now ORDER BY due LIMIT :limit)`;
const SHAPELESS = `SELECT jid, state, priority, gate, due, failed_starts, owner, runners, cpus, jobs.memory, gpus, needs,
  lanes, arrays.array, at_most, max_fails FROM jobs INDEXED BY jobs_shapeless LEFT JOIN arrays ON arrays.array = jobs.array
  WHERE shape IS NULL AND state IN ('pending', 'running') AND ${HAS_VALID_LENGTHS} ORDER BY state DESC, jid LIMIT :limit`;

const FIND = 'SELECT shape FROM shapes WHERE spec = ?';

/** A job that an exchange makes ready before it claims: it has become due, or its shape is not determined yet. */
export interface UnreadyJob {
  readonly jid: number;
  /** The negative priority. */
  readonly rank: number;
  /** The shape; a negative id if the exchange adds it. */
  readonly id: number;
  readonly spec: string;
  readonly failures: FailedStarts;
}

/** The jobs that the next exchange makes ready at a time by the clock of the file server, in their order. */
export function unreadyJobs(connection: Connection, serverNow: string): UnreadyJob[] {
  const due = connection.all(DUE, { now: serverNow, limit: LIMIT });
  const cleared = new Set(due.map(({ jid }) => jid));
  const found = due
    .filter(({ gate, spec }) => gate === null && spec !== null)
    .map((row) => unready(row, Number(row['shape']), String(row['spec'])));
  const ids = new Map<string, number>();
  const shapeless = connection
    .all(SHAPELESS, { limit: LIMIT })
    .filter(
      ({ jid, state, gate, due: at }) => state === 'pending' && gate === null && (at === null || cleared.has(jid)),
    )
    .map((row) => {
      const spec = shapeText(shapeOf(row as unknown as Requests, limitedArray(row)));
      const id = ids.get(spec) ?? Number(connection.get(FIND, [spec])?.['shape'] ?? -1 - ids.size);
      ids.set(spec, id);
      return unready(row, id, spec);
    });
  return [...found, ...shapeless].sort((a, b) => a.rank - b.rank || a.jid - b.jid);
}

function unready({ jid, priority, failed_starts }: Row, id: number, spec: string): UnreadyJob {
  return { jid: Number(jid), rank: -Number(priority), id, spec, failures: parseFailedStarts(failed_starts) };
}

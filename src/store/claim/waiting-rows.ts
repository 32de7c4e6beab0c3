import type { KillWish } from '../../job/control/kill.ts';
import type { Job } from '../../job/job.ts';
import { type FailedStarts, parseFailedStarts } from '../../job/placement/failed-starts.ts';
import { type LimitedArray, type Requests, type Shape, shapeOf } from '../../job/placement/shape.ts';
import type { Reservation } from '../../job/placement/why/facts.ts';
import type { Selection } from '../../job/selection.ts';
import type { Connection, Row } from '../connection.ts';
import { KILL_COLUMNS, killWishOf } from '../control/wishes.ts';
import { HAS_VALID_LENGTHS, JOB_COLUMNS, jobFromRow } from '../job-rows.ts';
import { type Page, selectRows } from '../selections.ts';
import { limitedArray, shapeFrom } from './shapes.ts';

const FACTS = `${JOB_COLUMNS}, gate, died_of, failed_starts, tries, is_lost, ${KILL_COLUMNS}`;
const WITH_SPEC = `${FACTS}, (SELECT spec FROM shapes WHERE shapes.shape = jobs.shape) AS spec,
  ${HAS_VALID_LENGTHS} AS is_valid`;
const ARRAYS = `SELECT array, at_most, max_fails, stopped FROM arrays WHERE array IN (SELECT value FROM json_each(?))`;
const RESERVED = 'SELECT jid, host, since FROM reservations WHERE since IS NOT NULL';

/** A job with what decides whether and when it can be claimed. */
export interface WaitingRow {
  readonly job: Job;
  readonly gate: number | null;
  readonly diedOf: number | null;
  readonly failures: FailedStarts;
  readonly tries: number;
  readonly isLost: boolean;
  readonly kill: KillWish | undefined;
  /** Null until an exchange determines the shape. */
  readonly spec: string | null;
  /** No text is longer than rq accepts. */
  readonly isValid: boolean;
}

/** The selected jobs after a jid. `hasShapes` is false for a queue of an older schema. */
export function selectWaiting(
  connection: Connection,
  selection: Selection,
  page: Page,
  hasShapes: boolean,
): WaitingRow[] {
  return selectRows(connection, selection, page, hasShapes ? WITH_SPEC : FACTS).map((row) => ({
    job: jobFromRow(row),
    gate: numberOf(row['gate']),
    diedOf: numberOf(row['died_of']),
    failures: parseFailedStarts(row['failed_starts']),
    tries: Number(row['tries']),
    isLost: row['is_lost'] === 1,
    kill: killWishOf(row),
    spec: typeof row['spec'] === 'string' ? row['spec'] : null,
    isValid: row['is_valid'] !== 0,
  }));
}

/** An array with limits. */
export interface ArrayRow {
  readonly limits: LimitedArray | null;
  readonly maxFails: number | null;
  readonly isStopped: boolean;
}

export function readArrays(connection: Connection, arrays: Iterable<number>): Map<number, ArrayRow> {
  const rows = connection.all(ARRAYS, [JSON.stringify([...new Set(arrays)])]);
  return new Map(
    rows.map((row) => {
      const { array, max_fails, stopped } = row;
      return [
        Number(array),
        { limits: limitedArray(row), maxFails: numberOf(max_fails), isStopped: stopped !== null },
      ] as const;
    }),
  );
}

/** The host that keeps places free for each job, and since when. */
export function readReservations(connection: Connection): Map<number, Reservation> {
  return new Map(
    connection.all(RESERVED).map(({ jid, host, since }) => {
      return [Number(jid), { host: typeof host === 'string' ? host : null, since: String(since) }];
    }),
  );
}

/** What a job requests. Its shape may not be determined yet. */
export function shapeOfRow(
  connection: Connection,
  { job, spec }: Pick<WaitingRow, 'job' | 'spec'>,
  arrays: ReadonlyMap<number, ArrayRow>,
): Shape {
  if (spec !== null) return shapeFrom(connection, spec);
  const array = job.array === null ? undefined : arrays.get(job.array);
  return shapeOf(job as Requests, array?.limits ?? null);
}

function numberOf(value: Row[string] | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

import { parseLanes } from '../../job/placement/lanes.ts';
import type { Connection } from '../connection.ts';
import type { LaneLimit } from './limits.ts';
import { shapeFrom } from './shapes.ts';

const WRITE = 'INSERT OR REPLACE INTO lanes (name, max, paused) VALUES (:name, :max, :paused)';
const REMOVE = 'DELETE FROM lanes WHERE name = ?';
/** JSON escapes the quotes of other texts in it. */
const SHAPES = `SELECT shape, spec FROM shapes WHERE spec LIKE '%,"lanes":[%'`;
const READY = `SELECT count(*) AS jobs FROM main.jobs INDEXED BY jobs_ready
  WHERE state = 'pending' AND gate IS NULL AND due IS NULL AND shape = ?`;
/** Pending jobs that the index of ready jobs does not contain. */
const GATED = `SELECT lanes, count(*) AS jobs FROM main.jobs INDEXED BY jobs_gate
  WHERE gate IS NOT NULL AND state = 'pending' AND lanes IS NOT NULL GROUP BY lanes`;
const DELAYED = `SELECT lanes, count(*) AS jobs FROM main.jobs INDEXED BY jobs_delayed
  WHERE state = 'pending' AND (due IS NOT NULL OR failed_starts IS NOT NULL)
  AND due IS NOT NULL AND gate IS NULL AND lanes IS NOT NULL GROUP BY lanes`;
const SHAPELESS = `SELECT lanes, count(*) AS jobs FROM main.jobs INDEXED BY jobs_shapeless
  WHERE shape IS NULL AND state IN ('pending', 'running')
  AND state = 'pending' AND gate IS NULL AND due IS NULL AND lanes IS NOT NULL GROUP BY lanes`;

/** Sets the limit of a lane. A lane without a limit that is not paused has no row. */
export function writeLane(connection: Connection, name: string, { max, paused }: LaneLimit): void {
  if (max === null && !paused) connection.run(REMOVE, [name]);
  else connection.run(WRITE, { name, max, paused: paused ? 1 : null });
}

/** The names of all lanes that a job was ever in. */
export function usedLanes(connection: Connection): string[] {
  const names = connection.all(SHAPES).flatMap(({ spec }) => shapeFrom(connection, String(spec)).lanes);
  return [...new Set(names)].sort();
}

/** The number of pending jobs in each lane. */
export function pendingByLane(connection: Connection): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (lanes: readonly string[], jobs: number): void => {
    for (const lane of jobs > 0 ? lanes : []) counts.set(lane, (counts.get(lane) ?? 0) + jobs);
  };
  for (const { shape, spec } of connection.all(SHAPES)) {
    add(shapeFrom(connection, String(spec)).lanes, Number(connection.get(READY, [shape ?? null])?.['jobs']));
  }
  for (const sql of [GATED, DELAYED, SHAPELESS]) {
    for (const { lanes, jobs } of connection.all(sql)) add(parseLanes(String(lanes)), Number(jobs));
  }
  return counts;
}

import type { Limits, Usage } from '../../job/placement/room.ts';
import type { Connection } from '../connection.ts';
import { shapeFrom } from './shapes.ts';

/** Running jobs are few, and the index has their shapes. */
const RUNNING = `SELECT spec, count(*) AS jobs FROM jobs INDEXED BY jobs_running JOIN shapes USING (shape)
  WHERE state = 'running' GROUP BY jobs.shape`;
const LANES = 'SELECT name, max, paused FROM lanes';
const LIMIT = 'SELECT max FROM lanes WHERE name = ?';
const PAUSED = 'SELECT name FROM lanes INDEXED BY lanes_paused WHERE paused = 1';
const STOPPED = 'SELECT 1 FROM arrays WHERE array = ? AND stopped IS NOT NULL';

/** The settings of a queue that decide which job goes first. */
export interface PlacementRules {
  readonly maxPerUser: number | null;
  readonly isFair: boolean;
  /** A job that later ones have passed over for this time gets a reservation. In seconds; null for never. */
  readonly reserveAfterS: number | null;
}

/** The limits of the queue, read on first use and then valid for one transaction. */
export function limitsIn(connection: Connection, rules: PlacementRules): Limits {
  const usage = once(() => usageIn(connection));
  const paused = once(() => new Set(connection.all(PAUSED).map(({ name }) => String(name))));
  return {
    ...rules,
    usage,
    isPaused: (lane) => paused().has(lane),
    maxOf: (lane) => {
      const max = connection.get(LIMIT, [lane])?.['max'];
      return typeof max === 'number' ? max : null;
    },
    isStopped: (array) => connection.get(STOPPED, [array]) !== undefined,
  };
}

function once<T>(read: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= read();
    return value;
  };
}

/** Counts the running jobs of the whole cluster. No counter is stored, so none can be wrong after a crash. */
export function usageIn(connection: Connection): Usage {
  const usage: Usage = { lanes: new Map(), arrays: new Map(), owners: new Map() };
  for (const row of connection.all(RUNNING)) {
    const jobs = Number(row['jobs']);
    const { lanes, array, owner, cpus } = shapeFrom(connection, String(row['spec']));
    for (const lane of lanes) usage.lanes.set(lane, (usage.lanes.get(lane) ?? 0) + jobs);
    if (array !== null) usage.arrays.set(array.jid, (usage.arrays.get(array.jid) ?? 0) + jobs);
    const owned = usage.owners.get(owner) ?? { jobs: 0, cpus: 0 };
    usage.owners.set(owner, { jobs: owned.jobs + jobs, cpus: owned.cpus + jobs * cpus });
  }
  return usage;
}

export interface LaneLimit {
  /** How many of its jobs may run at the same time; null is any number. */
  readonly max: number | null;
  readonly paused: boolean;
}

/** The lanes that have a limit or are paused. */
export function lanesIn(connection: Connection): Map<string, LaneLimit> {
  return new Map(
    connection.all(LANES).map(({ name, max, paused }) => {
      return [String(name), { max: typeof max === 'number' ? max : null, paused: paused === 1 }];
    }),
  );
}

import { pendingByLane, writeLane } from '../store/claim/lanes.ts';
import { type LaneLimit, lanesIn as limitsIn, usageIn } from '../store/claim/limits.ts';
import type { Connection } from '../store/connection.ts';
import { PLACEMENT_VERSION } from '../store/placement-schema.ts';
import type { Queue } from './open.ts';
import { read } from './transaction/read.ts';
import { transaction } from './transaction/transaction.ts';

/** A lane as `status` prints it. */
export interface LaneSummary {
  readonly name: string;
  /** How many of its jobs may run at the same time in the whole cluster; null is any number. */
  readonly limit: number | null;
  /** No job of it starts. */
  readonly paused: boolean;
  readonly running: number;
}

/** A lane as `lane` prints it. */
export interface LaneReport extends LaneSummary {
  readonly pending: number;
}

export type LaneChange = Partial<Pick<LaneSummary, 'limit' | 'paused'>>;

const NO_LIMIT: LaneLimit = { max: null, paused: false };

/** Changes a lane. What the change does not contain stays. */
export async function changeLane(queue: Queue, name: string, change: LaneChange): Promise<void> {
  await transaction(queue, ({ connection }) => {
    const { max, paused } = limitsIn(connection).get(name) ?? NO_LIMIT;
    const { limit = max, paused: isPaused = paused } = change;
    writeLane(connection, name, { max: limit, paused: isPaused });
  });
}

/** The lanes that have a limit, are paused, or contain pending or running jobs; and the lane `name`, if given. */
export async function readLanes(queue: Queue, name?: string): Promise<LaneReport[]> {
  return await read(queue, (connection) => {
    const pending = isOlder(connection) ? new Map<string, number>() : pendingByLane(connection);
    const names = name === undefined ? [...pending.keys()] : [name];
    const lanes = summaries(connection, names).map((lane) => ({ ...lane, pending: pending.get(lane.name) ?? 0 }));
    return name === undefined ? lanes : lanes.filter((lane) => lane.name === name);
  });
}

/** The lanes that have a limit, are paused, or contain running jobs, in the order of their names. */
export function lanesIn(connection: Connection): LaneSummary[] {
  return summaries(connection, []);
}

function summaries(connection: Connection, more: readonly string[]): LaneSummary[] {
  const isNew = !isOlder(connection);
  const limits = isNew ? limitsIn(connection) : new Map<string, LaneLimit>();
  const running = isNew ? usageIn(connection).lanes : new Map<string, number>();
  const names = [...new Set([...limits.keys(), ...running.keys(), ...more])].sort();
  return names.map((name) => {
    const { max: limit, paused } = limits.get(name) ?? NO_LIMIT;
    return { name, limit, paused, running: running.get(name) ?? 0 };
  });
}

/** An older schema has no lanes. */
function isOlder(connection: Connection): boolean {
  return connection.version() < PLACEMENT_VERSION;
}

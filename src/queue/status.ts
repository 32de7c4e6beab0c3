import { statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { hostName } from '../job/host.ts';
import { JOB_STATES } from '../job/job.ts';
import { readGenerations } from '../lease/generations.ts';
import type { Connection } from '../store/connection.ts';
import {
  countByState,
  countExitStatuses,
  countFinishedSince,
  finishedTotals,
  firstStarted,
  oldestAndNewest,
} from '../store/counts/counts.ts';
import { SCHEMA_VERSION } from '../store/schema.ts';
import { duration } from './duration.ts';
import { lanesIn } from './lanes.ts';
import { type HostRecords, hostRecordsIn } from './nodes/drained-hosts.ts';
import { nodeSummaries } from './nodes/node-status.ts';
import type { Queue } from './open.ts';
import { performanceStatus, periodStarts, temporalStatus } from './status-sections.ts';
import { read } from './transaction/read.ts';

/**
 * The report of `status` as a nested object, and whether the schema is of an older rq. `exitCounts` maps names to the exit
 * statuses that they count.
 */
export async function queueStatus(
  queue: Queue,
  exitCounts: ReadonlyMap<string, readonly number[]> = new Map(),
): Promise<{ readonly report: Record<string, unknown>; readonly isOlder: boolean }> {
  const now = queue.clock.now();
  const { hosts, lanes, isOlder, ...parts } = await read(queue, (connection) =>
    databaseStatus(connection, now, exitCounts),
  );
  const report = { ...parts, nodes: nodeSummaries(queue, hosts), lanes, lease: leaseStatus(queue) };
  return { report, isOlder };
}

function databaseStatus(
  connection: Connection,
  now: string,
  exitCounts: ReadonlyMap<string, readonly number[]>,
): Record<string, unknown> & { hosts: HostRecords; isOlder: boolean } {
  const { jobs: finished, successes, seconds } = finishedTotals(connection);
  const counts = countByState(connection, finished);
  const byState = Object.fromEntries(JOB_STATES.map((state) => [state, counts[state]]));
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const recent = periodStarts(now).map((start) => countFinishedSince(connection, start));
  const finishedJobs = { averageSeconds: seconds, recent, firstStarted: firstStarted(connection) };
  return {
    hosts: hostRecordsIn(connection),
    lanes: lanesIn(connection).map(({ name, limit, paused, running }) => ({ name, limit, paused, running })),
    isOlder: connection.version() < SCHEMA_VERSION,
    jobs: { ...byState, total },
    temporal: Object.fromEntries(
      JOB_STATES.map((state) => [state, temporalStatus(oldestAndNewest(connection, state), state, now)]),
    ),
    performance: performanceStatus(finishedJobs, counts.pending + counts.running, now),
    exit_status: {
      successes,
      failures: finished - successes + counts.dead,
      ...countExits(connection, exitCounts),
    },
  };
}

function countExits(
  connection: Connection,
  exitCounts: ReadonlyMap<string, readonly number[]>,
): Record<string, number> {
  return Object.fromEntries([...exitCounts].map(([name, values]) => [name, countExitStatuses(connection, values)]));
}

function leaseStatus({ directory, clock, leases }: Queue): Record<string, unknown> {
  const { highest, isFree } = readGenerations(directory);
  if (isFree) return { generation: highest, held: false };
  const holder = leases.local.of(highest);
  const local = holder === undefined ? {} : { host: hostName(), pid: holder.pid };
  try {
    const { mtime } = statSync(join(directory, `lease.${highest}`));
    const seconds = Math.max(0, Date.parse(clock.now()) - mtime.getTime()) / 1000;
    return { generation: highest, held: true, ...local, since: mtime.toISOString(), age: duration(seconds) };
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return { generation: highest, held: false };
  }
}

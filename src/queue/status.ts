import { statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { hostName } from '../job/host.ts';
import { JOB_STATES, type JobState } from '../job/job.ts';
import { readGenerations } from '../lease/generations.ts';
import type { Connection } from '../store/connection.ts';
import {
  countByState,
  countExitStatuses,
  countFinishedSince,
  finishedTotals,
  type JobTimes,
  oldestAndNewest,
  runningByHost,
} from '../store/counts.ts';
import { SCHEMA_VERSION } from '../store/schema.ts';
import { duration } from './duration.ts';
import { nodeSummaries } from './nodes/node-status.ts';
import type { Queue } from './open.ts';
import { read } from './transaction/read.ts';

const HOUR_MS = 3_600_000;

/**
 * The report of `status` as a nested object, and whether the schema is of an older rq. `exitCounts` maps names to the exit
 * statuses that they count.
 */
export async function queueStatus(
  queue: Queue,
  exitCounts: ReadonlyMap<string, readonly number[]> = new Map(),
): Promise<{ readonly report: Record<string, unknown>; readonly isOlder: boolean }> {
  const now = queue.clock.now();
  const { running, isOlder, ...parts } = await read(queue, (connection) => databaseStatus(connection, now, exitCounts));
  const report = { ...parts, nodes: nodeSummaries(queue, running), lease: leaseStatus(queue) };
  return { report, isOlder };
}

function databaseStatus(
  connection: Connection,
  now: string,
  exitCounts: ReadonlyMap<string, readonly number[]>,
): Record<string, unknown> & { running: Map<string, number>; isOlder: boolean } {
  const { jobs: finished, successes, seconds } = finishedTotals(connection);
  const counts = countByState(connection, finished);
  const byState = Object.fromEntries(JOB_STATES.map((state) => [state, counts[state]]));
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const since = (hours: number): number =>
    countFinishedSince(connection, new Date(Date.parse(now) - hours * HOUR_MS).toISOString());
  return {
    running: runningByHost(connection),
    isOlder: connection.version() < SCHEMA_VERSION,
    jobs: { ...byState, total },
    temporal: Object.fromEntries(JOB_STATES.map((state) => [state, temporalStatus(connection, state, now)])),
    performance: {
      average_time_a_job: seconds === null ? null : duration(seconds),
      finished_in_the_last_hour: since(1),
      finished_in_the_last_12_hours: since(12),
      finished_in_the_last_24_hours: since(24),
    },
    exit_status: { successes, failures: finished - successes, ...countExits(connection, exitCounts) },
  };
}

function countExits(
  connection: Connection,
  exitCounts: ReadonlyMap<string, readonly number[]>,
): Record<string, number> {
  return Object.fromEntries([...exitCounts].map(([name, values]) => [name, countExitStatuses(connection, values)]));
}

function temporalStatus(connection: Connection, state: JobState, now: string): Record<string, unknown> {
  const found = oldestAndNewest(connection, state);
  if (found === undefined) return {};
  return {
    oldest: { [found.first.jid]: ageOf(found.first, state, now) },
    newest: { [found.last.jid]: ageOf(found.last, state, now) },
  };
}

/** How long a job has waited or run, or the duration of an ended job. */
function ageOf(job: JobTimes, state: JobState, now: string): string {
  if (job.elapsed !== null) return duration(job.elapsed);
  const since = state === 'running' ? job.started : (job.finished ?? job.submitted);
  return duration(Math.max(0, Date.parse(now) - Date.parse(since ?? now)) / 1000);
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

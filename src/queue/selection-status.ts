import { JOB_STATES } from '../job/job.ts';
import type { Selection } from '../job/selection.ts';
import { duration } from './duration.ts';
import { JobTally } from './job-tally.ts';
import { selectJobs } from './jobs/select.ts';
import type { Queue } from './open.ts';
import { performanceStatus, periodStarts, temporalStatus } from './status-sections.ts';

/**
 * The report of `status` for selected jobs, and their number. Each job is counted once, in the state that it had when its
 * batch was read. `exitCounts` maps names to the exit statuses that they count.
 */
export async function selectionStatus(
  queue: Queue,
  selection: Selection,
  exitCounts: ReadonlyMap<string, readonly number[]> = new Map(),
): Promise<{ readonly report: Record<string, unknown>; readonly total: number }> {
  const now = queue.clock.now();
  const tally = new JobTally(periodStarts(now));
  for await (const jobs of selectJobs(queue, selection)) for (const job of jobs) tally.add(job);
  const { counts, failures } = tally;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const report = {
    jobs: { ...counts, total },
    temporal: Object.fromEntries(
      JOB_STATES.map((state) => [state, temporalStatus(tally.extremes.get(state), state, now)]),
    ),
    performance: {
      ...performanceStatus(tally.finished, counts.pending + counts.running, now),
      cpu_time: duration(tally.cpuSeconds),
    },
    exit_status: {
      successes: counts.finished + counts.dead - failures,
      failures,
      ...Object.fromEntries([...exitCounts].map(([name, values]) => [name, sumOf(tally.exitStatuses, values)])),
    },
    failures: { by_exit_status: highestFirst(tally.failuresByEnd), by_host: highestFirst(tally.failuresByHost) },
  };
  return { report, total };
}

function sumOf(counts: ReadonlyMap<number, number>, keys: readonly number[]): number {
  return [...new Set(keys)].reduce((sum, key) => sum + (counts.get(key) ?? 0), 0);
}

function highestFirst(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1]));
}

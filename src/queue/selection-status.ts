import { JOB_STATES } from '../job/job.ts';
import type { Selection } from '../job/selection.ts';
import { countPage } from '../store/counts.ts';
import { duration } from './duration.ts';
import { JobTally } from './job-tally.ts';
import type { Queue } from './open.ts';
import { performanceStatus, periodStarts, temporalStatus } from './status-sections.ts';
import { read } from './transaction/read.ts';

const PAGE_JOBS = 10_000;

/**
 * The report of `status` for selected jobs, and their number. Each job is counted once, in the state that it had when its
 * part was read. `exitCounts` maps names to the exit statuses that they count.
 */
export async function selectionStatus(
  queue: Queue,
  selection: Selection,
  exitCounts: ReadonlyMap<string, readonly number[]> = new Map(),
): Promise<{ readonly report: Record<string, unknown>; readonly total: number }> {
  const now = queue.clock.now();
  const tally = await tallyOf(queue, selection, periodStarts(now));
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

/** Counts the jobs in short transactions, so that many jobs delay no writer. */
async function tallyOf(queue: Queue, selection: Selection, since: readonly string[]): Promise<JobTally> {
  const tally = new JobTally();
  for (let after = 0; ; ) {
    const page = { after, limit: PAGE_JOBS };
    const groups = await read(queue, (connection) => countPage(connection, selection, page, since));
    for (const group of groups) tally.add(group);
    if (groups.reduce((jobs, group) => jobs + group.jobs, 0) < PAGE_JOBS) return tally;
    after = Math.max(...groups.map(({ last }) => last.jid));
  }
}

function sumOf(counts: ReadonlyMap<number, number>, keys: readonly number[]): number {
  return [...new Set(keys)].reduce((sum, key) => sum + (counts.get(key) ?? 0), 0);
}

function highestFirst(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1]));
}

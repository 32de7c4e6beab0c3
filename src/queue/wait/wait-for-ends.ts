import type { RqError } from '../../job/errors.ts';
import { type DeadJob, type FinishedJob, hasEnded } from '../../job/job.ts';
import type { Connection } from '../../store/connection.ts';
import { countOpen, endedJids, mergeRanges, openJids, selectPage } from '../../store/selections.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import type { JidSet } from './jid-set.ts';
import type { QueueChanges } from './queue-changes.ts';
import { transientError } from './removed-queue.ts';

export type EndedJob = FinishedJob | DeadJob;

export type WaitEvent =
  | { readonly kind: 'ended'; readonly jobs: readonly EndedJob[] }
  /** Jobs that were deleted, or rotated after their end. How they ended is unknown. */
  | { readonly kind: 'missing'; readonly jids: readonly number[] }
  /** All ends so far have been returned; so many jobs are open and running. */
  | { readonly kind: 'read'; readonly open: number; readonly running: number }
  /** The rows could not be read; they are read again later. */
  | { readonly kind: 'read-failed'; readonly error: RqError };

const PAGE_JOBS = 2_000;

/** What one transaction found. `running` is undefined if more jobs have ended than were read. */
interface Round {
  readonly ended: readonly EndedJob[];
  readonly missing: readonly number[];
  readonly running: number | undefined;
}

/**
 * Waits until all jobs have ended, or until `deadlineMs` of the monotonic clock, and removes those that have ended from
 * `open`. Takes no lease, and reads the rows only after a change. Throws NO_QUEUE if the queue is removed.
 */
export async function* waitForEnds(
  queue: Queue,
  open: JidSet,
  changes: QueueChanges,
  deadlineMs: number,
): AsyncGenerator<WaitEvent> {
  const { clock } = queue;
  let hasFailed = false;
  changes.start();
  try {
    for (;;) {
      try {
        yield* readEnds(queue, open);
        hasFailed = false;
      } catch (caught) {
        const error = transientError(caught, queue);
        changes.expectChange();
        if (!hasFailed) yield { kind: 'read-failed', error };
        hasFailed = true;
      }
      if (open.size === 0 || !(await changes.next(deadlineMs - clock.monotonicMs()))) return;
    }
  } finally {
    changes.stop();
  }
}

async function* readEnds(queue: Queue, open: JidSet): AsyncGenerator<WaitEvent> {
  for (;;) {
    const { ended, missing, running } = await read(queue, (connection) => roundIn(connection, open));
    open.remove(ended.map(({ jid }) => jid));
    open.remove(missing);
    if (ended.length > 0) yield { kind: 'ended', jobs: [...ended].sort(byEnd) };
    if (missing.length > 0) yield { kind: 'missing', jids: missing };
    if (running === undefined) continue;
    yield { kind: 'read', open: open.size, running };
    return;
  }
}

function roundIn(connection: Connection, open: JidSet): Round {
  const jids = endedJids(connection, open.ranges, PAGE_JOBS);
  const ended = jobsIn(connection, jids);
  if (jids.length === PAGE_JOBS) return { ended, missing: [], running: undefined };
  const counts = countOpen(connection, open.ranges);
  const found = [...counts.values()].reduce((sum, count) => sum + count, ended.length);
  const missing = found === open.size ? [] : open.without([...jids, ...openJids(connection, open.ranges)]);
  return { ended, missing, running: counts.get('running') ?? 0 };
}

function jobsIn(connection: Connection, jids: readonly number[]): EndedJob[] {
  if (jids.length === 0) return [];
  const ranges = mergeRanges(jids.map((jid) => ({ first: jid, last: jid })));
  const page = { after: 0, limit: jids.length };
  return selectPage(connection, { all: false, ranges, states: [], pairs: [] }, page).filter(hasEnded);
}

/** In the order in which the jobs ended. */
function byEnd(a: EndedJob, b: EndedJob): number {
  if (a.finished === b.finished) return a.jid - b.jid;
  return a.finished < b.finished ? -1 : 1;
}

import { errorCode, RqError } from '../../job/errors.ts';
import type { Job } from '../../job/job.ts';
import { DatabaseWatch } from '../database-watch.ts';
import { selectJobs } from '../jobs/select.ts';
import type { Queue } from '../open.ts';
import { type FollowEvent, FollowedJob, type FollowOptions } from './followed-job.ts';

/** The interval between reads of the files, and the least ratio of the interval to the time that the reads take. */
const POLL_MS = 250;
const POLL_RATIO = 4;
/** The shortest and the longest interval between reads of the rows. In between, only changes of the file are watched. */
const REFRESH_MS = 1_000;
const MAX_REFRESH_MS = 10_000;
/** Errors that can pass. */
const TRANSIENT_ERRORS = new Set(['BUSY', 'IO', 'NO_SPACE', 'OUTCOME_UNKNOWN']);

/** The rows could not be read; they are read again later. */
export interface ReadFailed {
  readonly kind: 'read-failed';
  readonly error: RqError;
}

/**
 * Follows the output of jobs until each has ended or was deleted. Polls, because NFS reports no writes of other hosts.
 * The output of ended jobs comes in their order. Throws IO for a file that cannot be read, and the errors of a damaged
 * queue.
 */
export async function* follow(
  queue: Queue,
  jobs: AsyncIterable<readonly Job[]>,
  options: FollowOptions,
): AsyncGenerator<FollowEvent | ReadFailed> {
  const unfinished = new UnfinishedJobs(queue);
  try {
    for await (const batch of jobs) {
      for (const job of batch) yield* unfinished.add(new FollowedJob(queue, job, options), job);
    }
    yield* unfinished.untilEnded();
  } finally {
    await unfinished.stop();
  }
}

/** The followed jobs that have not ended yet. */
class UnfinishedJobs {
  private readonly jobs = new Map<number, FollowedJob>();
  private readonly queue: Queue;
  private readonly watch: DatabaseWatch;
  private isChanged = true;
  private checkedMs = Number.NEGATIVE_INFINITY;
  private refreshedMs = Number.NEGATIVE_INFINITY;
  /** The read in progress, and the result of the last one. */
  private refreshing: Promise<void> | undefined;
  private found: ReadonlyMap<number, Job> | undefined;
  private error: unknown;
  private hasFailed = false;

  constructor(queue: Queue) {
    this.queue = queue;
    this.watch = new DatabaseWatch(queue);
  }

  *add(followed: FollowedJob, job: Job): Generator<FollowEvent> {
    yield* job.state === 'running' ? followed.read() : followed.update(job, true);
    if (!followed.isDone) this.jobs.set(followed.jid, followed);
  }

  async *untilEnded(): AsyncGenerator<FollowEvent | ReadFailed> {
    const { clock } = this.queue;
    while (this.jobs.size > 0) {
      const startMs = clock.monotonicMs();
      if (this.isRefreshDue()) await this.refresh();
      yield* this.applyRows();
      for (const followed of this.jobs.values()) yield* followed.read();
      const jobs = [...this.jobs.values()];
      if (jobs.length === 0 || jobs.some(({ hasMore }) => hasMore)) continue;
      const pauseMs = jobs.some(({ isReading }) => isReading)
        ? Math.max(POLL_MS, POLL_RATIO * (clock.monotonicMs() - startMs))
        : REFRESH_MS;
      await clock.sleep(Math.min(REFRESH_MS, pauseMs));
    }
  }

  /** Waits for a read in progress, so that its lease is released. */
  async stop(): Promise<void> {
    await this.refreshing;
  }

  private isRefreshDue(): boolean {
    const nowMs = this.queue.clock.monotonicMs();
    if (this.refreshing !== undefined) return true;
    if (nowMs - this.checkedMs < REFRESH_MS) return false;
    this.checkedMs = nowMs;
    if (this.hasChanged()) this.isChanged = true;
    return this.isChanged || this.someCut() || nowMs - this.refreshedMs >= MAX_REFRESH_MS;
  }

  private someCut(): boolean {
    return [...this.jobs.values()].some(({ isCut }) => isCut);
  }

  private hasChanged(): boolean {
    try {
      return this.watch.hasChanged();
    } catch {
      // The read that follows gives a clear error.
      return true;
    }
  }

  /** Reads the rows. If that takes long, returns, so that the files are read meanwhile. */
  private async refresh(): Promise<void> {
    this.refreshing ??= this.findJobs();
    const timeout = new AbortController();
    await Promise.race([this.refreshing, this.queue.clock.sleep(POLL_MS, timeout.signal)]);
    timeout.abort();
  }

  private async findJobs(): Promise<void> {
    this.isChanged = false;
    this.refreshedMs = this.queue.clock.monotonicMs();
    const ranges = [...this.jobs.keys()].map((jid) => ({ first: jid, last: jid }));
    const found = new Map<number, Job>();
    try {
      for await (const batch of selectJobs(this.queue, { all: false, ranges, states: [], pairs: [] })) {
        for (const job of batch) found.set(job.jid, job);
      }
      this.found = found;
    } catch (error) {
      this.isChanged = true;
      this.error = error;
    } finally {
      // The database can be replaced between reads, and following a job can take days.
      this.queue.close();
      this.refreshing = undefined;
    }
  }

  private *applyRows(): Generator<FollowEvent | ReadFailed> {
    const { found, error } = this;
    this.found = undefined;
    this.error = undefined;
    if (error !== undefined) yield* this.applyError(error);
    if (found === undefined) return;
    this.hasFailed = false;
    for (const followed of this.jobs.values()) {
      yield* followed.update(found.get(followed.jid));
      if (followed.isDone) this.jobs.delete(followed.jid);
    }
  }

  private *applyError(error: unknown): Generator<FollowEvent | ReadFailed> {
    if (errorCode(error) === 'ENOENT') {
      const { directory } = this.queue;
      throw new RqError('NO_QUEUE', `cannot follow jobs in ${directory}: the queue was moved or removed`, {
        cause: error,
      });
    }
    if (!(error instanceof RqError) || !TRANSIENT_ERRORS.has(error.code)) throw error;
    if (!this.hasFailed) yield { kind: 'read-failed', error };
    this.hasFailed = true;
  }
}

import { errorCode, RqError } from '../../job/errors.ts';
import type { Job } from '../../job/job.ts';
import { DatabaseWatch } from '../database-watch.ts';
import { selectJobs } from '../jobs/select.ts';
import type { Queue } from '../open.ts';
import { type FollowEvent, FollowedJob, type FollowOptions } from './followed-job.ts';

/** How often the files of running jobs are looked at; more seldom where there are so many that it takes long. */
const POLL_MS = 250;
const POLL_SHARE = 4;
/** How often, at most and at least, the queue is asked how the jobs do; between, its database is only watched. */
const LOOK_MS = 1_000;
const LAST_LOOK_MS = 10_000;
/** What waiting may mend. */
const PASSING = new Set(['BUSY', 'IO', 'NO_SPACE', 'OUTCOME_UNKNOWN']);

/** The queue does not say how the jobs do, and is asked again. */
export interface Unseen {
  readonly kind: 'unseen';
  readonly error: RqError;
}

/**
 * Follows the output of jobs until each has ended or is gone, by polling, since nothing tells of another host's writes.
 * Jobs that have ended are read as they come. Throws IO for a file that cannot be read, and what a damaged queue throws.
 */
export async function* follow(
  queue: Queue,
  jobs: AsyncIterable<readonly Job[]>,
  options: FollowOptions,
): AsyncGenerator<FollowEvent | Unseen> {
  const watched = new WatchedJobs(queue);
  try {
    for await (const batch of jobs) {
      for (const job of batch) yield* watched.add(new FollowedJob(queue, job, options), job);
    }
    yield* watched.untilEnded();
  } finally {
    await watched.stop();
  }
}

/** The jobs that have not ended yet. */
class WatchedJobs {
  private readonly jobs = new Map<number, FollowedJob>();
  private readonly queue: Queue;
  private readonly watch: DatabaseWatch;
  private isChanged = true;
  private watchedMs = Number.NEGATIVE_INFINITY;
  private lookedMs = Number.NEGATIVE_INFINITY;
  /** The look that goes on, and what the last one found. */
  private looking: Promise<void> | undefined;
  private found: ReadonlyMap<number, Job> | undefined;
  private fault: unknown;
  private isUnseen = false;

  constructor(queue: Queue) {
    this.queue = queue;
    this.watch = new DatabaseWatch(queue);
  }

  *add(followed: FollowedJob, job: Job): Generator<FollowEvent> {
    yield* job.state === 'running' ? followed.read() : followed.see(job, true);
    if (!followed.isDone) this.jobs.set(followed.jid, followed);
  }

  async *untilEnded(): AsyncGenerator<FollowEvent | Unseen> {
    const { clock } = this.queue;
    while (this.jobs.size > 0) {
      const startMs = clock.monotonicMs();
      if (this.isLookDue()) await this.look();
      yield* this.tellFound();
      for (const followed of this.jobs.values()) yield* followed.read();
      const jobs = [...this.jobs.values()];
      if (jobs.length === 0 || jobs.some(({ hasMore }) => hasMore)) continue;
      const pauseMs = jobs.some(({ isReading }) => isReading)
        ? Math.max(POLL_MS, POLL_SHARE * (clock.monotonicMs() - startMs))
        : LOOK_MS;
      await clock.sleep(Math.min(LOOK_MS, pauseMs));
    }
  }

  /** A lease that a look may hold is released. */
  async stop(): Promise<void> {
    await this.looking;
  }

  private isLookDue(): boolean {
    const nowMs = this.queue.clock.monotonicMs();
    if (this.looking !== undefined) return true;
    if (nowMs - this.watchedMs < LOOK_MS) return false;
    this.watchedMs = nowMs;
    if (this.hasChanged()) this.isChanged = true;
    return this.isChanged || this.someCut() || nowMs - this.lookedMs >= LAST_LOOK_MS;
  }

  private someCut(): boolean {
    return [...this.jobs.values()].some(({ isCut }) => isCut);
  }

  private hasChanged(): boolean {
    try {
      return this.watch.hasChanged();
    } catch {
      // The look says better what is wrong.
      return true;
    }
  }

  /** Looks at the jobs. A queue may be busy for long: the files are read meanwhile. */
  private async look(): Promise<void> {
    this.looking ??= this.findJobs();
    const patience = new AbortController();
    await Promise.race([this.looking, this.queue.clock.sleep(POLL_MS, patience.signal)]);
    patience.abort();
  }

  private async findJobs(): Promise<void> {
    this.isChanged = false;
    this.lookedMs = this.queue.clock.monotonicMs();
    const ranges = [...this.jobs.keys()].map((jid) => ({ first: jid, last: jid }));
    const found = new Map<number, Job>();
    try {
      for await (const batch of selectJobs(this.queue, { all: false, ranges, states: [], pairs: [] })) {
        for (const job of batch) found.set(job.jid, job);
      }
      this.found = found;
    } catch (error) {
      this.isChanged = true;
      this.fault = error;
    } finally {
      // Nothing of the database stays open between looks: it may be replaced, and a follower may live for days.
      this.queue.close();
      this.looking = undefined;
    }
  }

  private *tellFound(): Generator<FollowEvent | Unseen> {
    const { found, fault } = this;
    this.found = undefined;
    this.fault = undefined;
    if (fault !== undefined) yield* this.tellFault(fault);
    if (found === undefined) return;
    this.isUnseen = false;
    for (const followed of this.jobs.values()) {
      yield* followed.see(found.get(followed.jid));
      if (followed.isDone) this.jobs.delete(followed.jid);
    }
  }

  private *tellFault(fault: unknown): Generator<FollowEvent | Unseen> {
    if (errorCode(fault) === 'ENOENT') {
      const { directory } = this.queue;
      throw new RqError('NO_QUEUE', `no queue at ${directory} any more: it was moved or removed`, { cause: fault });
    }
    if (!(fault instanceof RqError) || !PASSING.has(fault.code)) throw fault;
    if (!this.isUnseen) yield { kind: 'unseen', error: fault };
    this.isUnseen = true;
  }
}

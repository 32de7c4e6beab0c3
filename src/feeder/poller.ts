import { DatabaseWatch } from '../queue/database-watch.ts';
import { findClaimable } from '../queue/exchange/exchange.ts';
import type { Queue } from '../queue/open.ts';
import { PollTimer } from './poll-timer.ts';
import type { FeederSettings } from './settings.ts';

/** The queue is searched this often even if it seems unchanged. */
const MAX_SEARCH_INTERVAL_MS = 60_000;

/** Decides when the feeder searches the queue for jobs to claim. A poll takes no lock. */
export class Poller {
  readonly timer: PollTimer;
  /** The number of polls so far. */
  count = 0;
  /** The queue may contain a job to claim: it has changed, or the last claim received all jobs that it asked for. */
  mayFindJob = true;
  /** A different file has replaced the database. The handler resets this flag. */
  isReplaced = false;
  private readonly watch: DatabaseWatch;
  private searchedMs: number;
  /** When this host tries again to start a job that it could not start, by the monotonic clock. */
  private retryMs: number | undefined;

  constructor(
    private readonly queue: Queue,
    private readonly settings: FeederSettings,
    inode: string,
  ) {
    this.timer = new PollTimer(queue.clock, settings.minSleepMs, settings.maxSleepMs);
    const onReplaced = (): void => {
      queue.close();
      this.isReplaced = true;
    };
    this.watch = new DatabaseWatch(queue, onReplaced, BigInt(inode));
    this.searchedMs = queue.clock.monotonicMs();
  }

  /** Searches the queue without delay. */
  pollNow(): void {
    this.expectChanges();
    this.timer.wake();
  }

  /** Searches the queue for a job that this host may run. `invalid` are jobs that cannot be claimed. */
  async findsJob(invalid: ReadonlySet<number>): Promise<boolean> {
    if (!this.mayFindJob) return false;
    const { clock } = this.queue;
    const { host, mayRun } = this.settings;
    this.searchedMs = clock.monotonicMs();
    const { isClaimable, retryAt } = await findClaimable(this.queue, host, mayRun, invalid);
    this.mayFindJob = isClaimable;
    this.retryMs = retryAt === undefined ? undefined : this.searchedMs + Date.parse(retryAt) - Date.parse(clock.now());
    return isClaimable;
  }

  /** This host could not start a job, and soon tries again, because no other host is left to try it. */
  get expectsRetry(): boolean {
    return this.retryMs !== undefined && this.retryMs - this.queue.clock.monotonicMs() <= MAX_SEARCH_INTERVAL_MS;
  }

  /** Sleeps until the next poll is due, for at most `limitMs`, and checks whether the database has changed. */
  async poll(limitMs: number | undefined): Promise<void> {
    const { clock } = this.queue;
    const untilRetryMs = (this.retryMs ?? Number.POSITIVE_INFINITY) - clock.monotonicMs();
    const isPollDue = await this.timer.waitForPoll(Math.min(limitMs ?? Number.POSITIVE_INFINITY, untilRetryMs));
    if (this.retryMs !== undefined && clock.monotonicMs() >= this.retryMs) this.expectChanges();
    if (!isPollDue) return;
    this.count += 1;
    const isSearchDue = clock.monotonicMs() - this.searchedMs >= MAX_SEARCH_INTERVAL_MS;
    if (this.watch.hasChanged() || isSearchDue) this.expectChanges();
  }

  private expectChanges(): void {
    this.mayFindJob = true;
    this.retryMs = undefined;
    this.timer.reset();
  }
}

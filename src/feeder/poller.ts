import { DatabaseWatch } from '../queue/database-watch.ts';
import { hasClaimable } from '../queue/exchange/exchange.ts';
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
  private readonly watch: DatabaseWatch;
  private searchedMs: number;

  constructor(
    private readonly queue: Queue,
    private readonly settings: FeederSettings,
  ) {
    this.timer = new PollTimer(queue.clock, settings.minSleepMs, settings.maxSleepMs);
    this.watch = new DatabaseWatch(queue, () => queue.close());
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
    this.searchedMs = this.queue.clock.monotonicMs();
    this.mayFindJob = await hasClaimable(this.queue, this.settings.mayRun, invalid);
    return this.mayFindJob;
  }

  /** Sleeps until the next poll is due, for at most `limitMs`, and checks whether the database has changed. */
  async poll(limitMs: number | undefined): Promise<void> {
    if (!(await this.timer.waitForPoll(limitMs))) return;
    this.count += 1;
    const isSearchDue = this.queue.clock.monotonicMs() - this.searchedMs >= MAX_SEARCH_INTERVAL_MS;
    if (this.watch.hasChanged() || isSearchDue) this.expectChanges();
  }

  private expectChanges(): void {
    this.mayFindJob = true;
    this.timer.reset();
  }
}

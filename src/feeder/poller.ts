import type { HostRoom } from '../job/placement/room.ts';
import { DatabaseWatch } from '../queue/database-watch.ts';
import type { ClaimControl, Control } from '../queue/exchange/control.ts';
import { type Next, search } from '../queue/exchange/exchange.ts';
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
  /** The queue may contain wishes or orders of users that the feeder does not know. */
  private mayFindControl = true;
  /** A different file has replaced the database. The handler resets this flag. */
  isReplaced = false;
  private readonly watch: DatabaseWatch;
  private searchedMs: number;
  /** When this host tries again to start a job that it could not start, by the monotonic clock. */
  private retryMs: number | undefined;
  /** When the next job is due, by the monotonic clock. */
  private dueMs: number | undefined;
  /** A pending job needs one that is running. */
  private mayOpen = false;

  constructor(
    private readonly queue: Queue,
    private readonly settings: FeederSettings,
    private readonly serverNow: () => string,
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

  /**
   * Searches the queue for what users want of this host, which `onControl` gets, and with `room`, for a job that this host
   * may claim. `invalid` are jobs that cannot be claimed. Returns whether there is a job, or whether an exchange has to
   * decide dependents of jobs that ended.
   */
  async search(
    room: HostRoom | undefined,
    invalid: ReadonlySet<number>,
    known: ClaimControl | undefined,
    onControl: (control: Control | undefined) => void,
  ): Promise<boolean> {
    const searchesJobs = room !== undefined && this.mayFindJob;
    if (!searchesJobs && !this.mayFindControl) return false;
    const { queue, serverNow } = this;
    const { host, mayRun, untilEmpty } = this.settings;
    this.searchedMs = queue.clock.monotonicMs();
    this.mayFindControl = false;
    const found = await search(queue, {
      host,
      mayRun,
      serverNow,
      invalid,
      room: searchesJobs ? room : undefined,
      known,
      untilEmpty,
    });
    onControl(found.control);
    if (found.hasUndecided) return true;
    if (!searchesJobs) return false;
    if (found.next !== undefined) this.noteExhausted(found.next);
    return found.next === undefined;
  }

  /** The last exchange left dependents of jobs that ended undecided. */
  noteUndecided(): void {
    this.mayFindJob = true;
    this.mayFindControl = true;
  }

  /** This host can claim no further job before the queue changes, or before these times. */
  noteExhausted({ retryAt, dueAt, mayOpen }: Next): void {
    const { clock } = this.queue;
    const nowMs = clock.monotonicMs();
    this.mayFindJob = false;
    this.mayOpen = mayOpen;
    this.retryMs = monotonicTime(retryAt, clock.now(), nowMs);
    this.dueMs = monotonicTime(dueAt, this.serverNow(), nowMs);
  }

  /**
   * A job is due later, or depends on a running one, or this host could not start a job and soon tries again, because no
   * other host is left to try it.
   */
  get expectsJob(): boolean {
    if (this.dueMs !== undefined || this.mayOpen) return true;
    return this.retryMs !== undefined && this.retryMs - this.queue.clock.monotonicMs() <= MAX_SEARCH_INTERVAL_MS;
  }

  /** Sleeps until the next poll is due, for at most `limitMs`, and checks whether the database has changed. */
  async poll(limitMs: number | undefined): Promise<void> {
    const { clock } = this.queue;
    const nextMs = Math.min(this.retryMs ?? Number.POSITIVE_INFINITY, this.dueMs ?? Number.POSITIVE_INFINITY);
    const untilNextMs = nextMs - clock.monotonicMs();
    const isPollDue = await this.timer.waitForPoll(Math.min(limitMs ?? Number.POSITIVE_INFINITY, untilNextMs));
    if (clock.monotonicMs() >= nextMs) this.expectChanges();
    if (!isPollDue) return;
    this.count += 1;
    const isSearchDue = clock.monotonicMs() - this.searchedMs >= MAX_SEARCH_INTERVAL_MS;
    if (this.watch.hasChanged() || isSearchDue) this.expectChanges();
  }

  private expectChanges(): void {
    this.mayFindJob = true;
    this.mayFindControl = true;
    this.retryMs = undefined;
    this.dueMs = undefined;
    this.timer.reset();
  }
}

/** The monotonic time of `time`, where `nowMs` is the monotonic time of `now`. */
function monotonicTime(time: string | undefined, now: string, nowMs: number): number | undefined {
  return time === undefined ? undefined : nowMs + Date.parse(time) - Date.parse(now);
}

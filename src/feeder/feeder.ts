import { crashAt } from '../job/crash-points.ts';
import { errorMessage, RqError } from '../job/errors.ts';
import type { AttemptKey, RunningJob } from '../job/job.ts';
import type { FeederEvents } from '../log/events.ts';
import { DatabaseWatch } from '../queue/database-watch.ts';
import { type AttemptEnd, exchange, hasClaimable } from '../queue/exchange/exchange.ts';
import type { Queue } from '../queue/open.ts';
import { Kills } from './adoption/kills.ts';
import { Recovery } from './adoption/recovery.ts';
import { Attempts, nameOf, type Reports } from './attempts.ts';
import { BackOff } from './backoff.ts';
import { HoldOff } from './hold-off.ts';
import type { Presence } from './host/presence.ts';
import { Pace } from './pace.ts';
import { type FeederSettings, type Order, STRENGTH } from './settings.ts';
import { SleepCycle } from './sleep-cycle.ts';
import type { RunnerLink } from './start/runner-link.ts';

/** Even when nothing seems to have changed, the queue is looked at this often. */
const LOOK_MS = 60_000;
/** How long the start of a job may wait for an exchange that has other reasons. */
const START_REPORT_MS = 500;

/** Claims jobs of one queue and has them run, until it is told to end. */
export class Feeder {
  /** How many attempts have ended while this feeder ran. */
  ran = 0;
  private readonly queue: Queue;
  private readonly settings: FeederSettings;
  private readonly link: RunnerLink;
  private readonly presence: Presence;
  private readonly events: FeederEvents;
  private readonly attempts = new Attempts();
  private readonly pace: Pace;
  private readonly watch: DatabaseWatch;
  private readonly cycle: SleepCycle;
  private readonly recovery: Recovery;
  private readonly holdOff: HoldOff;
  private readonly backOff: BackOff;
  private order: Order = 'feed';
  private why = '';
  private polls = 0;
  /** The database may hold something to claim: it changed, or the last claim got all that it asked for. */
  private mayFind = true;
  private lookedMs: number;
  private exchangedMs = 0;
  private readonly kills: Kills;
  private readonly unsound = new Set<number>();

  constructor(queue: Queue, settings: FeederSettings, link: RunnerLink, presence: Presence, events: FeederEvents) {
    this.queue = queue;
    this.settings = settings;
    this.link = link;
    this.presence = presence;
    this.events = events;
    this.pace = new Pace(queue.clock);
    this.watch = new DatabaseWatch(queue.database, queue.clock, () => queue.close());
    this.cycle = new SleepCycle(queue.clock, settings.minSleepMs, settings.maxSleepMs);
    this.holdOff = new HoldOff(queue.clock);
    this.backOff = new BackOff(settings.retries);
    this.kills = new Kills(link, settings.host, events);
    const { attempts, kills } = this;
    this.recovery = new Recovery(queue, settings.host, link, { attempts, kills, events });
    this.lookedMs = queue.clock.monotonicMs();
    link.onExit = (end) => this.ended(end);
    link.onLost = () => this.cycle.wake();
  }

  /** Gives an order, from a signal or the command line; a weaker one than the last is ignored. */
  tell(order: Exclude<Order, 'feed'>, why: string): void {
    if (STRENGTH[order] <= STRENGTH[this.order]) return;
    this.order = order;
    this.why = why;
    if (order === 'shutdown') this.events.stopping(why, this.attempts.running.size);
    this.cycle.wake();
  }

  /** Has it look at the queue now: somebody on this host has put a job into it. */
  lookNow(): void {
    this.mayFind = true;
    this.cycle.quicken();
    this.cycle.wake();
  }

  /** Feeds until it has ended; gives the order that ended it. Throws when the queue cannot be used any more. */
  async run(): Promise<Order> {
    const { recovery } = this;
    while (!recovery.hasTakenOver && this.order !== 'restart') await this.tried(() => recovery.takeOver());
    for (;;) {
      this.obey();
      if (this.isDone()) return this.order;
      await this.tried(() => this.turn());
    }
  }

  /** Does it, and waits for the next try where it fails for what may pass. Else throws what it throws. */
  private async tried(act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.backOff.reset();
    } catch (error) {
      // One that is to end does not wait for a runner or for its first look for long: its jobs go on, for the next feeder.
      const isLast = this.order === 'shutdown' || this.order === 'stop';
      const isVain = isLast && (!this.recovery.hasTakenOver || (error instanceof RqError && error.code === 'RUNNER'));
      const retryMs = this.backOff.after(error, isVain);
      this.recovery.isUnsure = true;
      this.events.queueFailed(error, retryMs);
      await this.cycle.sleep(retryMs);
    }
  }

  /** One step of work; where there is none at the moment, waits for some. */
  private async turn(): Promise<void> {
    if (this.link.isLost) return await this.recovery.mendLink((end) => this.ended(end));
    await this.presence.attend(() => this.recovery.dropStale());
    if (!this.isFit) this.giveBackUnbegun();
    this.startClaimed();
    if (!(await this.exchangeIfDue())) await this.idle();
  }

  private async exchangeIfDue(): Promise<boolean> {
    await this.recovery.findUnknownClaims();
    this.giveBackIdleClaims();
    if (this.attempts.hasEnds || this.hasOldStarts()) {
      const waitMs = this.untilExchangeMs();
      if (waitMs > 0) await this.cycle.sleep(waitMs);
      else await this.exchange();
      return true;
    }
    if (this.freeSlots() < 1 || !this.mayFind) return false;
    this.lookedMs = this.queue.clock.monotonicMs();
    this.mayFind = await hasClaimable(this.queue, this.settings.mayRun, this.unsound);
    if (this.mayFind) await this.exchange();
    return this.mayFind;
  }

  /** How long reports may wait still. */
  private untilExchangeMs(): number {
    return this.exchangedMs + this.pace.gatherMs(this.attempts.hasUnbegun) - this.queue.clock.monotonicMs();
  }

  /** Claimed ahead for jobs that end quickly; if none does any more, another host may be free for them. */
  private giveBackIdleClaims(): void {
    if (!this.attempts.hasUnbegun || this.attempts.running.size < this.settings.slots) return;
    if (this.pace.hasStalled()) this.giveBackUnbegun();
  }

  /** What has not begun goes back to the queue, as soon as the runner has said so of what waits there. */
  private giveBackUnbegun(): void {
    const { attempts, link } = this;
    attempts.releaseClaimed();
    if (attempts.given.size > 0) link.cancel([...attempts.given.values()]);
  }

  private async exchange(): Promise<void> {
    const { clock } = this.queue;
    const startMs = clock.monotonicMs();
    const reports = this.attempts.takeReports();
    const free = this.freeSlots();
    const wanted = this.order === 'feed' && this.isFit ? Math.max(0, free + this.pace.ahead()) : 0;
    const claimant = { host: this.settings.host, boot: this.link.boot, journal: this.link.journal };
    try {
      const done = await exchange(this.queue, { claimant, ...reports, claim: wanted, mayRun: this.settings.mayRun });
      if (done.claimed.length > 0) crashAt('claim-committed');
      if (reports.ends.length > 0) crashAt('end-committed');
      this.attempts.claimed.push(...done.claimed);
      if (wanted > 0) this.mayFind = done.claimed.length === wanted;
      // What went back is there to be claimed again.
      if (reports.releases.length > 0) this.mayFind = true;
      this.settle(reports, done.refused);
      this.tellUnsound(done.invalid);
      this.exchangedMs = clock.monotonicMs();
      const ms = this.exchangedMs - startMs;
      this.pace.exchanged(ms, reports.ends.length);
      this.events.exchanged({ ends: reports.ends.length, claimed: done.claimed.length, ms });
    } catch (error) {
      this.attempts.restore(reports);
      throw error;
    }
    this.startClaimed();
  }

  /** The runner may forget what the database has recorded. */
  private settle(reports: Reports, refused: readonly AttemptKey[]): void {
    for (const key of refused) this.events.refused(key);
    for (const key of reports.releases) this.events.neverStarted(key);
    if (reports.ends.length > 0) this.link.acknowledge(reports.ends);
  }

  /** Each is told once. */
  private tellUnsound(jids: readonly number[]): void {
    const news = jids.filter((jid) => !this.unsound.has(jid));
    for (const jid of news) this.unsound.add(jid);
    if (news.length > 0) this.events.unsound(news);
  }

  private startClaimed(): void {
    while (this.order !== 'stop' && this.attempts.claimed.length > 0 && this.freeToStart()) {
      const job = this.attempts.next((earlier) => this.kills.killStale(earlier));
      if (job === undefined) return;
      this.attempts.give(job);
      this.pace.moved();
      void this.start(job);
    }
  }

  /** Jobs may begin here: this host can start them, and is not taken for lost. */
  private get isFit(): boolean {
    return this.holdOff.remainingMs === 0 && this.presence.isSure;
  }

  /** Of jobs that end quickly some are given ahead, so that the next one begins without a word from here. */
  private freeToStart(): boolean {
    const ahead = Math.min(this.link.ahead, this.pace.ahead());
    const hasSlot = this.attempts.running.size < this.settings.slots + ahead && !this.link.isLost;
    return hasSlot && this.isFit;
  }

  private async start(job: RunningJob): Promise<void> {
    const given = this.link.spawn(job);
    setImmediate(() => crashAt('job-given'));
    const outcome = await given;
    crashAt('job-started');
    this.attempts.answered(job);
    if (outcome.kind === 'started') {
      this.pace.moved();
      this.holdOff.started();
      this.events.jobStarted({ jid: job.jid, attempt: job.attempt, pid: outcome.start.pid });
      this.attempts.began(outcome.start);
    } else if (outcome.kind === 'refused') {
      this.ended(outcome.end);
    } else if (outcome.kind === 'unstarted') {
      if (outcome.hindrance !== undefined && this.holdOff.hindered()) this.holdBack(errorMessage(outcome.hindrance));
      this.attempts.release(job);
    }
    if (outcome.kind === 'unstarted' || this.order === 'stop') this.cycle.wake();
  }

  /** Nothing can be begun here at the moment; others may take what is at hand. */
  private holdBack(reason: string): void {
    this.events.heldOff(this.holdOff.remainingMs, reason);
    this.giveBackUnbegun();
  }

  private ended(end: AttemptEnd): void {
    this.kills.judge(end, (told) => this.endedAs(told));
  }

  private endedAs(told: AttemptEnd): void {
    if (!this.attempts.running.has(nameOf(told))) return;
    this.ran += 1;
    crashAt('end-heard');
    this.events.jobEnded(told);
    // What gathers for an exchange that is due already need not wake it.
    const isNews = !this.attempts.hasEnds;
    this.attempts.end(told);
    if (this.holdOff.ended(told)) this.holdBack(told.reason ?? '');
    this.startClaimed();
    if (isNews || !this.attempts.hasUnbegun) this.cycle.wake();
  }

  private obey(): void {
    const { order, settings } = this;
    if (order === 'feed' && settings.loops !== undefined && this.polls >= settings.loops)
      this.tell('shutdown', 'loops');
    if (this.order === 'feed') return;
    this.giveBackUnbegun();
    if (this.order === 'stop') this.kills.killAll(this.attempts, this.why);
  }

  private isDone(): boolean {
    const { attempts } = this;
    // Without a runner nothing is lost either: what the next feeder asks it for tells the same again.
    if (this.order === 'restart') return this.link.isLost || (attempts.claimed.length === 0 && !attempts.hasEnds);
    if (!attempts.isEmpty) return false;
    return this.order !== 'feed' || (this.settings.untilEmpty && !this.mayFind);
  }

  private async idle(): Promise<void> {
    const isLook = await this.cycle.untilNextPoll(this.attempts.starts.length > 0 ? START_REPORT_MS : undefined);
    if (!isLook) return;
    this.polls += 1;
    const isDue = this.queue.clock.monotonicMs() - this.lookedMs >= LOOK_MS;
    if (!this.watch.hasChanged() && !isDue) return;
    this.mayFind = true;
    this.cycle.quicken();
  }

  private hasOldStarts(): boolean {
    const { starts } = this.attempts;
    return starts.length > 0 && this.queue.clock.monotonicMs() - this.exchangedMs >= START_REPORT_MS;
  }

  private freeSlots(): number {
    if (this.order !== 'feed' || !this.isFit) return 0;
    return (
      this.settings.slots - this.attempts.running.size - this.attempts.claimed.length - this.attempts.waiting.length
    );
  }
}

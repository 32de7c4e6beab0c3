import { constants } from 'node:os';
import { join } from 'node:path';
import { type Clock, wallTime } from '../job/clock.ts';
import { crashAt } from '../job/crash-points.ts';
import type { AttemptKey } from '../job/job.ts';
import { ownEnvironment, ownUmask } from '../job/process.ts';
import { Adoption } from './adoption.ts';
import { type HostShutdown, mayBeShutdown } from './host-shutdown.ts';
import type { Journal } from './journal/journal.ts';
import type { JournaledAttempt } from './journal/journal-entries.ts';
import { listAttempts } from './journal/listing.ts';
import type { Leader } from './leader.ts';
import { LimitEnforcer } from './limits/limit-enforcer.ts';
import type { RunnerLog } from './log.ts';
import type { Environment } from './protocol/fields.ts';
import {
  attemptName,
  type Exit,
  type JobSettings,
  MAX_REASON_LENGTH,
  RequestError,
  type SignalRequest,
  type Spawned,
  type SpawnRequest,
} from './protocol/messages.ts';
import { type ObservedEnd, SHUT_DOWN_END, startFailed } from './start/attempt-end.ts';
import { PendingStarts } from './start/pending-starts.ts';
import { Scripts } from './start/scripts.ts';
import { failureReason, kindOf } from './start/start-failure.ts';
import type { StarterClient } from './start/starter-client.ts';
import type { StarterObserver, StartFailure } from './start/starter-observer.ts';

export interface AttemptsOptions {
  readonly directory: string;
  readonly journal: Journal;
  /** Its monotonic time must be the same in all processes of a boot. */
  readonly clock: Clock;
  readonly log: RunnerLog;
  readonly starter: StarterClient;
  readonly shutdown: HostShutdown;
  /** Receives the lines of all exits of one turn of the event loop. They are in the journal. */
  readonly onExits: (lines: readonly string[]) => void;
  /** Called when `isIdle` becomes true. */
  readonly onIdle: () => void;
}

/** The attempts of this runner: starts, signals, pauses, adopts and lists them, and reports their exits. */
export class Attempts implements StarterObserver {
  private readonly starts: PendingStarts;
  private readonly running = new Map<string, JournaledAttempt>();
  private readonly scripts: Scripts;
  private readonly adoption: Adoption;
  private readonly limits: LimitEnforcer;
  /** Lines of exits. */
  private unreported: string[] = [];
  /** Attempts that the feeder has signalled, so that their end by a signal is not attributed to a shutdown of the host. */
  private readonly signalled = new Set<string>();
  /** Attempts whose ends the starter may forget when they are in the journal. */
  private unacknowledged: string[] = [];
  private scheduledReport: NodeJS.Immediate | undefined;
  /** Whether exits are being synced. They are sent afterwards. */
  private isReporting = false;

  constructor(private readonly options: AttemptsOptions) {
    this.scripts = new Scripts(join(options.directory, 'scripts'));
    this.limits = new LimitEnforcer(options);
    this.starts = new PendingStarts({
      ...options,
      scripts: this.scripts,
      onStarted: (attempt, leader) => this.recordStart(attempt, leader),
      onEnd: (attempt, end) => this.finish(attempt, end),
      onCancelled: () => this.reportIdle(),
    });
    this.adoption = new Adoption({
      ...options,
      onRunning: (attempt, leader) => this.recordStart(attempt, leader),
      onEnd: (attempt, end, endedMs) => this.finish(attempt, end, endedMs),
      onEndKnown: (name) => this.acknowledge(name),
      onNeverStarted: (attempt) => this.starts.discard(attempt),
    });
  }

  get runningCount(): number {
    return this.running.size;
  }

  /** Whether nothing runs or waits and all exits are reported. */
  get isIdle(): boolean {
    return this.running.size + this.starts.size + this.unreported.length === 0 && !this.isReporting;
  }

  /**
   * Resumes the attempts of an earlier runner, and finishes those that have ended. Must be called first, and once.
   * `records` are the start records from before the connection to the starter; undefined if they are not of this journal.
   */
  async adopt(records: ReadonlySet<string> | undefined): Promise<void> {
    const { journal, starter } = this.options;
    await this.adoption.resume(starter.observe(this), records);
    this.scripts.sweep((name) => this.running.has(name));
    // After this request, only the journal shows which attempts have started.
    journal.flushOrThrow();
    starter.records(journal.id);
    this.setEnvironment(ownEnvironment());
    this.setSlots(Number.POSITIVE_INFINITY);
  }

  /** Replaces the base environment and the settings of attempts that are spawned later. */
  setEnvironment(base: Environment, { umask = ownUmask(), limits = {} }: JobSettings = {}): void {
    this.options.starter.environment(base);
    this.options.starter.limits(umask, limits);
  }

  /** Sets the sum of the weights of attempts that run at once, including adopted ones. Others wait. */
  setSlots(slots: number): void {
    this.options.starter.slots(slots);
  }

  /** Throws RequestError ATTEMPT_KNOWN; rejects with RequestError CANCELLED, NOT_READY or JOURNAL. */
  spawn(request: SpawnRequest): Promise<Spawned> {
    return this.starts.spawn(request);
  }

  /** Cancels attempts that have not begun. Their spawns reject with CANCELLED. */
  cancel(keys: readonly AttemptKey[]): void {
    for (const key of keys) this.starts.cancel(attemptName(key));
  }

  /** Signals all processes of a running attempt, or cancels one that has not begun. Rejects with NO_ATTEMPT. */
  async signal({ signal, graceMs, order, ...key }: SignalRequest): Promise<object> {
    const { journal, starter } = this.options;
    const send = async (attempt: JournaledAttempt, name: string): Promise<number> => {
      if (order !== undefined && !journal.recordOrder(attempt, order)) return 1;
      this.signalled.add(name);
      if (graceMs === undefined) return await starter.signal(name, constants.signals[signal]);
      this.limits.remove(attempt);
      return await starter.end(name, constants.signals[signal], graceMs);
    };
    // An order is a signal for a process, and does not cancel the start.
    return await this.onRunning(key, send, order === undefined);
  }

  /** Stops all processes of a running attempt, or cancels one that has not begun. Rejects with NO_ATTEMPT. */
  async pause(key: AttemptKey): Promise<object> {
    return await this.onRunning(key, (_, name) => this.limits.pause(name));
  }

  /** Continues all processes of a running attempt. Rejects with NO_ATTEMPT. */
  async resume(key: AttemptKey): Promise<object> {
    return await this.onRunning(key, (_, name) => this.limits.resume(name));
  }

  /**
   * Cancels the attempts that have not begun. When all pending starts are decided, it returns the fields of the reply: the
   * attempts in order, those after `after`.
   */
  list(after: AttemptKey | null): object | Promise<object> {
    const { journal } = this.options;
    this.starts.cancelAll();
    return this.starts.whenDecided(async () => {
      journal.flush();
      await journal.sync();
      return listAttempts(journal, after);
    });
  }

  /** Lets the starter forget all ends that are in the journal. */
  acknowledgeEnds(): void {
    if (this.unacknowledged.length === 0 || !this.options.journal.flush()) return;
    this.options.starter.acknowledge(this.unacknowledged);
    this.unacknowledged = [];
  }

  onStarted(name: string, leader: Leader, startedMs = this.options.clock.monotonicMs()): void {
    if (this.starts.started(name, leader, startedMs)) return;
    const attempt = this.running.get(name);
    if (attempt !== undefined) this.recordStart(attempt, leader);
  }

  onFailed(name: string, failure: StartFailure): void {
    this.acknowledge(name);
    if (this.starts.failed(name, failure)) return;
    const attempt = this.running.get(name);
    if (attempt !== undefined) this.finish(attempt, startFailed(failureReason(undefined, failure), kindOf(failure)));
  }

  onCancelled(name: string, cause: string): void {
    this.starts.cancelled(name, cause);
  }

  onEnded(name: string, end: ObservedEnd, endedMs = this.options.clock.monotonicMs()): void {
    const attempt = this.running.get(name);
    const wasSignalled = this.signalled.has(name) || attempt?.hit !== undefined;
    if (attempt !== undefined && mayBeShutdown(end.signal) && !wasSignalled)
      void this.finishHeld(attempt, end, endedMs);
    else this.finishEnded(name, end, endedMs);
  }

  /** The host may be shutting down: then the end is not that of the job. The starter keeps the end meanwhile. */
  private async finishHeld(attempt: JournaledAttempt, end: ObservedEnd, endedMs: number): Promise<void> {
    const isShutdown = await this.options.shutdown.isUnderWay();
    this.finishEnded(attemptName(attempt), isShutdown ? { ...end, ...SHUT_DOWN_END } : end, endedMs);
  }

  private finishEnded(name: string, end: ObservedEnd, endedMs: number): void {
    this.acknowledge(name);
    const attempt = this.running.get(name);
    if (attempt !== undefined) this.finish(attempt, end, endedMs);
  }

  onAdopted(name: string, leader: Leader): void {
    this.adoption.adopted(name, leader);
  }

  onGone(name: string): void {
    this.adoption.gone(name);
  }

  /** Acts when the start of the attempt is decided. Throws NO_ATTEMPT if it does not run or `act` reached no process. */
  private async onRunning(
    key: AttemptKey,
    act: (attempt: JournaledAttempt, name: string) => Promise<number>,
    mayCancel = true,
  ): Promise<object> {
    const name = attemptName(key);
    if (mayCancel) this.cancel([key]);
    return await this.starts.whenDecided(async () => {
      const attempt = this.running.get(name);
      const count = attempt === undefined ? 0 : await act(attempt, name);
      if (count === 0) throw new RequestError('NO_ATTEMPT', `attempt ${name} is not running, or is being ended`);
      return {};
    }, name);
  }

  private recordStart(attempt: JournaledAttempt, leader: Leader): void {
    this.running.set(attemptName(attempt), attempt);
    this.options.journal.recordStart(attempt, leader);
    this.limits.add(attempt);
  }

  /** Records the end of an attempt. The time defaults to now; null means that it is unknown. */
  private finish(attempt: JournaledAttempt, observed: ObservedEnd, endMs?: number | null): void {
    crashAt('exit-seen');
    const { clock, journal } = this.options;
    const { jid, claim, started } = attempt;
    const end = this.limits.withLimit(attempt, observed, endMs);
    const finishedMs = endMs ?? clock.monotonicMs();
    const name = attemptName(attempt);
    const exit: Exit = {
      jid,
      claim,
      pid: attempt.process?.pid ?? null,
      started,
      finished: wallTime(clock, finishedMs),
      elapsed: endMs === null ? null : Math.round(finishedMs - attempt.monotonic_ms) / 1000,
      ...end,
      reason: end.reason?.slice(0, MAX_REASON_LENGTH) ?? null,
    };
    this.unreported.push(journal.recordExit(attempt, exit));
    this.limits.remove(attempt);
    this.running.delete(name);
    this.signalled.delete(name);
    this.scripts.remove(name);
    this.scheduleReport();
  }

  /** To be called before the exit is recorded: the starter is told after the journal is written. */
  private acknowledge(name: string): void {
    this.unacknowledged.push(name);
    this.scheduleReport();
  }

  private scheduleReport(): void {
    this.scheduledReport ??= setImmediate(() => this.reportExits());
  }

  private reportExits(): void {
    this.scheduledReport = undefined;
    this.options.journal.flush();
    crashAt('exit-journaled');
    this.acknowledgeEnds();
    if (!this.isReporting) void this.sendExits();
  }

  /** Exits that arrive meanwhile are synced and sent together. */
  private async sendExits(): Promise<void> {
    this.isReporting = true;
    while (this.unreported.length > 0) {
      const exits = this.unreported;
      this.unreported = [];
      await this.options.journal.sync();
      this.options.onExits(exits);
    }
    this.isReporting = false;
    this.reportIdle();
  }

  private reportIdle(): void {
    if (this.isIdle) this.options.onIdle();
  }
}

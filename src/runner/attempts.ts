import { join } from 'node:path';
import { type Clock, wallTime } from '../job/clock.ts';
import { crashAt } from '../job/crash-points.ts';
import type { AttemptKey } from '../job/job.ts';
import { ownEnvironment } from '../job/process.ts';
import type { Journal } from './journal/journal.ts';
import type { JournaledAttempt } from './journal/journal-entries.ts';
import { listAttempts } from './journal/listing.ts';
import type { StartRecords } from './journal/start-records.ts';
import type { RunnerLog } from './log.ts';
import { AdoptedProcesses } from './processes/adopted-processes.ts';
import { findAttempts } from './processes/find-attempts.ts';
import { GraceTimers } from './processes/grace-timers.ts';
import { isAlive, type Leader, signalGroup } from './processes/leader.ts';
import type { Environment } from './protocol/fields.ts';
import {
  attemptName,
  type Exit,
  MAX_REASON_LENGTH,
  RequestError,
  type SignalRequest,
  type Spawned,
  type SpawnRequest,
} from './protocol/messages.ts';
import { PendingStarts } from './start/pending-starts.ts';
import { Scripts } from './start/scripts.ts';
import { type AttemptEnd, endUnknown, type Starter } from './start/starter.ts';

const UNKNOWN_END = 'the runner was killed, so the exit status is unknown';
const MAY_HAVE_RUN = 'the runner was killed while it started the job; the job may have run';

export interface AttemptsOptions {
  readonly directory: string;
  readonly journal: Journal;
  /** Its monotonic time must be the same in all processes of a boot. */
  readonly clock: Clock;
  readonly log: RunnerLog;
  readonly starter: Starter;
  readonly startRecords: StartRecords;
  /** Receives all exits of one turn of the event loop. They are in the journal. */
  readonly onExits: (exits: readonly Exit[]) => void;
  /** Called when `isIdle` becomes true. */
  readonly onIdle: () => void;
}

/** The attempts of this runner: starts, signals, adopts and lists them, and reports their exits. */
export class Attempts {
  private readonly starts: PendingStarts;
  private limit = Number.POSITIVE_INFINITY;
  private readonly running = new Map<string, Leader>();
  private readonly graceTimers: GraceTimers;
  private readonly adopted: AdoptedProcesses;
  private readonly scripts: Scripts;
  private unreported: Exit[] = [];

  constructor(private readonly options: AttemptsOptions) {
    this.graceTimers = new GraceTimers(options.log, () => this.reportIdle());
    this.adopted = new AdoptedProcesses(options.log);
    this.scripts = new Scripts(join(options.directory, 'scripts'));
    this.starts = new PendingStarts({
      ...options,
      scripts: this.scripts,
      onStarted: (attempt, leader) => {
        this.running.set(attemptName(attempt), leader);
        options.journal.recordStart(attempt, leader);
      },
      onOrphaned: (attempt) => {
        const leader = this.running.get(attemptName(attempt));
        if (leader !== undefined) this.adoptProcess(attempt, leader);
      },
      onEnd: (attempt, end, monotonicMs) => this.finish(attempt, end, monotonicMs),
      onCancelled: () => this.reportIdle(),
    });
  }

  /** Replaces the base environment of attempts that are spawned later. */
  set environment(base: Environment) {
    this.options.starter.environment(base);
  }

  /** The number of attempts that run at once, including adopted ones. Others wait. */
  set slots(slots: number) {
    this.limit = slots;
    this.applySlots();
  }

  get runningCount(): number {
    return this.running.size;
  }

  /** Whether nothing runs or waits, no grace period is active and all exits are reported. */
  get isIdle(): boolean {
    return this.running.size + this.starts.size + this.graceTimers.size + this.unreported.length === 0;
  }

  /** Adopts the attempts of an earlier runner, and finishes those that have ended. Must be called first, and once. */
  adopt(): void {
    const { journal, startRecords } = this.options;
    const records = startRecords.read(journal.previousId);
    const open = [...journal.attempts.values()].filter(({ exit }) => exit === undefined);
    const mayHaveStarted = (attempt: JournaledAttempt): boolean =>
      attempt.process !== undefined || (records?.has(attemptName(attempt)) ?? true);
    for (const attempt of open) if (!mayHaveStarted(attempt)) this.starts.discard(attempt);
    this.adoptStarted(open.filter(mayHaveStarted));
    this.scripts.sweep((name) => this.running.has(name));
    // After the reset, only the journal shows which attempts have started.
    journal.flushOrThrow();
    startRecords.reset(journal.id);
    this.environment = ownEnvironment();
  }

  /** Throws RequestError ATTEMPT_KNOWN or JOURNAL; rejects with RequestError CANCELLED. */
  spawn(request: SpawnRequest): Promise<Spawned> {
    return this.starts.spawn(request);
  }

  /** Cancels attempts that wait for a slot. Their spawns reject with CANCELLED. */
  cancel(keys: readonly AttemptKey[]): void {
    for (const key of keys) this.starts.cancel(attemptName(key));
  }

  /**
   * Signals the process group of a running attempt, or cancels an attempt that waits for a slot. Throws or rejects with
   * RequestError NO_ATTEMPT or FAILED.
   */
  signal(request: SignalRequest): object | Promise<object> {
    this.cancel([request]);
    return this.starts.whenDecided(() => this.signalRunning(request), attemptName(request));
  }

  /**
   * Cancels the attempts that wait for a slot. When all pending starts are decided, it returns the fields of the reply:
   * the attempts in order, those after `after`.
   */
  list(after: AttemptKey | null): object | Promise<object> {
    this.starts.cancelAll();
    return this.starts.whenDecided(() => listAttempts(this.options.journal, after));
  }

  private adoptStarted(open: readonly JournaledAttempt[]): void {
    const { journal, log } = this.options;
    const idOf = (attempt: JournaledAttempt): string => `${journal.previousId}.${attemptName(attempt)}`;
    const found = findAttempts(new Set(open.filter((attempt) => attempt.process === undefined).map(idOf)));
    for (const attempt of open) {
      const leader = attempt.process ?? found.get(idOf(attempt));
      if (leader !== undefined && isAlive(leader)) {
        if (attempt.process === undefined) journal.recordStart(attempt, leader);
        this.running.set(attemptName(attempt), leader);
        this.adoptProcess(attempt, leader);
      } else {
        log.attemptLost(attempt);
        this.finish(attempt, endUnknown(leader === undefined ? MAY_HAVE_RUN : UNKNOWN_END), null);
      }
    }
  }

  private signalRunning(request: SignalRequest): object {
    const { jid, attempt, signal, graceMs } = request;
    const leader = this.running.get(attemptName(request));
    const hasEnded = leader === undefined || this.hasEnded(leader);
    // The group of a child may still have processes before its end is reported. The pid of an adopted process that has
    // ended may belong to another process.
    const isOwnGroup = leader !== undefined && !(hasEnded && this.adopted.has(leader));
    const isSent = isOwnGroup && this.send(leader.pid, signal);
    if (isSent && graceMs !== undefined) this.graceTimers.start(request, leader, graceMs);
    if (hasEnded || !isSent) throw new RequestError('NO_ATTEMPT', `attempt ${attempt} of job ${jid} is not running`);
    return {};
  }

  private hasEnded(leader: Leader): boolean {
    try {
      return (leader.start_time !== null || this.adopted.has(leader)) && !isAlive(leader);
    } catch (error) {
      this.options.log.failed('test for a process', error);
      return false;
    }
  }

  private send(pid: number, signal: NodeJS.Signals): boolean {
    try {
      return signalGroup(pid, signal);
    } catch (error) {
      throw new RequestError('FAILED', `cannot send ${signal} to the process group ${pid}`, error);
    }
  }

  /** Adopted attempts occupy slots that the starter does not count. */
  private applySlots(): void {
    this.options.starter.slots(Math.max(0, this.limit - this.adopted.size));
  }

  private adoptProcess(attempt: JournaledAttempt, leader: Leader): void {
    this.adopted.add(leader, () => {
      this.scripts.remove(attemptName(attempt));
      this.finish(attempt, endUnknown(UNKNOWN_END));
      this.applySlots();
    });
    this.options.log.attemptAdopted(attempt, leader.pid);
    this.applySlots();
  }

  /** Records the end of an attempt. The time defaults to now; null means that it is unknown. */
  private finish(attempt: JournaledAttempt, end: AttemptEnd, endMs?: number | null): void {
    crashAt('exit-seen');
    const { clock, journal } = this.options;
    const { jid, attempt: number, started } = attempt;
    const finishedMs = endMs ?? clock.monotonicMs();
    const pid = attempt.process?.pid ?? null;
    const exit: Exit = {
      jid,
      attempt: number,
      pid,
      started,
      finished: wallTime(clock, finishedMs),
      elapsed: endMs === null ? null : Math.round(finishedMs - attempt.monotonic_ms) / 1000,
      ...end,
      reason: end.reason?.slice(0, MAX_REASON_LENGTH) ?? null,
    };
    journal.recordExit(attempt, exit);
    this.running.delete(attemptName(attempt));
    if (this.unreported.length === 0) setImmediate(() => this.reportExits());
    this.unreported.push(exit);
    if (pid !== null) this.graceTimers.leaderEnded(attempt, pid);
  }

  private reportExits(): void {
    this.options.journal.flush();
    crashAt('exit-journaled');
    const exits = this.unreported;
    this.unreported = [];
    this.options.onExits(exits);
    this.reportIdle();
  }

  private reportIdle(): void {
    if (this.isIdle) this.options.onIdle();
  }
}

import { join } from 'node:path';
import { type Clock, wallTime } from '../job/clock.ts';
import { crashAt } from '../job/crash-points.ts';
import type { AttemptKey } from '../job/job.ts';
import { ownEnvironment } from '../job/process.ts';
import { findAttempts, isAlive } from './adopt.ts';
import { GraceTimers, type Leader, signalGroup } from './grace.ts';
import type { BegunRecords } from './journal/begun-records.ts';
import type { Journal } from './journal/journal.ts';
import type { JournaledAttempt } from './journal/journal-entries.ts';
import type { RunnerLog } from './log.ts';
import {
  attemptName,
  type Environment,
  type Exit,
  exitFields,
  MAX_LISTED,
  MAX_REASON_LENGTH,
  RequestError,
  type SignalRequest,
  type SpawnRequest,
} from './protocol/protocol.ts';
import { Scripts } from './start/scripts.ts';
import { type Ended, lost, type Starter } from './start/starter.ts';
import { type Spawned, Starts } from './start/starts.ts';
import { Watch } from './watch.ts';

const UNKNOWN_END = 'the runner was killed, so the exit status is unknown';
const MAYBE_STARTED = 'the runner was killed while it started the job, which may have run';

export interface JobsOptions {
  readonly directory: string;
  readonly journal: Journal;
  /** Its monotonic time must be that of all processes of this boot. */
  readonly clock: Clock;
  readonly log: RunnerLog;
  readonly starter: Starter;
  readonly begun: BegunRecords;
  /** All exits of one turn of the event loop; they are in the journal. */
  readonly onExits: (exits: readonly Exit[]) => void;
  /** Nothing runs any more, and no grace time is due. */
  readonly onQuiet: () => void;
}

/** The attempts that run, and what can be done to them. */
export class Jobs {
  private readonly starts: Starts;
  private limit = Number.POSITIVE_INFINITY;
  private readonly running = new Map<string, Leader>();
  private readonly graces: GraceTimers;
  private readonly watch: Watch;
  private readonly scripts: Scripts;
  private ended: Exit[] = [];

  constructor(private readonly options: JobsOptions) {
    this.graces = new GraceTimers(options.log, () => this.tellIfQuiet());
    this.watch = new Watch(options.log);
    this.scripts = new Scripts(join(options.directory, 'scripts'));
    this.starts = new Starts({
      ...options,
      scripts: this.scripts,
      onStarted: (attempt, leader) => this.started(attempt, leader),
      onOrphaned: (attempt) => this.adoptOne(attempt, this.running.get(attemptName(attempt))),
      onEnd: (attempt, ended, monotonicMs) => this.finish(attempt, ended, monotonicMs),
      onCancelled: () => this.tellIfQuiet(),
    });
  }

  /** Replaces the base environment of all that is spawned from now on. */
  set environment(base: Environment) {
    this.options.starter.environment(base);
  }

  /** How many attempts run at once, adopted ones included; further ones wait. */
  set slots(slots: number) {
    this.limit = slots;
    this.applySlots();
  }

  get runningCount(): number {
    return this.running.size;
  }

  get isQuiet(): boolean {
    return this.running.size + this.starts.size + this.graces.size + this.ended.length === 0;
  }

  /** Takes over what an earlier runner left running, and ends what is gone. To be called once, before all else. */
  adopt(): void {
    const { journal, begun } = this.options;
    const records = begun.read(journal.previousId);
    const open = [...journal.attempts.values()].filter(({ exit }) => exit === undefined);
    const isBegun = (attempt: JournaledAttempt): boolean =>
      attempt.process !== undefined || (records?.has(attemptName(attempt)) ?? true);
    for (const attempt of open.filter((each) => !isBegun(each))) this.starts.forget(attempt);
    this.adoptBegun(open.filter(isBegun));
    this.scripts.sweep((name) => this.running.has(name));
    // What the records say of the attempts in it must not be needed any more when they begin anew.
    journal.settleOrThrow();
    begun.reset(journal.id);
    this.environment = ownEnvironment();
  }

  private adoptBegun(open: readonly JournaledAttempt[]): void {
    const { journal, log } = this.options;
    const idOf = (attempt: JournaledAttempt): string => `${journal.previousId}.${attemptName(attempt)}`;
    const found = findAttempts(new Set(open.filter((attempt) => attempt.process === undefined).map(idOf)));
    for (const attempt of open) {
      const leader = attempt.process ?? found.get(idOf(attempt));
      if (leader !== undefined && isAlive(leader)) {
        if (attempt.process === undefined) journal.started(attempt, leader);
        this.running.set(attemptName(attempt), leader);
        this.adoptOne(attempt, leader);
      } else {
        log.lost(attempt);
        this.finish(attempt, lost(leader === undefined ? MAYBE_STARTED : UNKNOWN_END), null);
      }
    }
  }

  /**
   * Has an attempt started; pid null if it ended at once. Throws RequestError ATTEMPT_KNOWN or JOURNAL, rejects with
   * CANCELLED.
   */
  spawn(request: SpawnRequest): Promise<Spawned> {
    return this.starts.spawn(request);
  }

  /** Takes back those that wait for a slot: their spawns are refused with CANCELLED. */
  cancel(keys: readonly AttemptKey[]): void {
    for (const key of keys) this.starts.cancel(attemptName(key));
  }

  /**
   * Signals the group of a running attempt; one that waits for a slot is cancelled. Throws or rejects with RequestError
   * NO_ATTEMPT or FAILED.
   */
  signal(request: SignalRequest): object | Promise<object> {
    this.cancel([request]);
    return this.starts.whenKnown(() => this.signalRunning(request), attemptName(request));
  }

  /**
   * What is known as the fields of a reply, in order, from behind `after`, as soon as it is known what became of all
   * that was spawned before; what waits for a slot is cancelled.
   */
  list(after: AttemptKey | null): object | Promise<object> {
    this.starts.cancelAll();
    return this.starts.whenKnown(() => this.listKnown(after));
  }

  private signalRunning({ jid, attempt, signal, graceMs }: SignalRequest): object {
    const key = { jid, attempt };
    const leader = this.running.get(attemptName(key));
    const isGone = leader === undefined || this.isGone(leader);
    // A child whose end is still to be told may have left others in its group. The pid of an adopted one may be a stranger's.
    const isOurs = leader !== undefined && !(isGone && this.watch.has(leader));
    const isReached = isOurs && this.send(leader.pid, signal);
    if (isReached && graceMs !== undefined) this.graces.start(key, leader, graceMs);
    if (isGone || !isReached) throw new RequestError('NO_ATTEMPT', `attempt ${attempt} of job ${jid} is not running`);
    return {};
  }

  private isGone(leader: Leader): boolean {
    try {
      return (leader.start_time !== null || this.watch.has(leader)) && !isAlive(leader);
    } catch (error) {
      // Too many files are open, for one.
      this.options.log.failed('look for a process', error);
      return false;
    }
  }

  private listKnown(after: AttemptKey | null): { attempts: object[]; more: boolean } {
    const { journal } = this.options;
    journal.settle();
    const isListed = (attempt: JournaledAttempt): boolean => after === null || compare(attempt, after) > 0;
    const listed = [...journal.attempts.values()].filter(isListed).sort(compare);
    return { attempts: listed.slice(0, MAX_LISTED).flatMap(described), more: listed.length > MAX_LISTED };
  }

  private started(attempt: JournaledAttempt, leader: Leader): void {
    this.running.set(attemptName(attempt), leader);
    this.options.journal.started(attempt, leader);
  }

  private applySlots(): void {
    this.options.starter.slots(Math.max(0, this.limit - this.watch.size));
  }

  private send(pid: number, signal: NodeJS.Signals): boolean {
    try {
      return signalGroup(pid, signal);
    } catch (error) {
      throw new RequestError('FAILED', `cannot send ${signal} to the process group ${pid}`, error);
    }
  }

  /** From now on nobody tells the end of it. */
  private adoptOne(attempt: JournaledAttempt, leader: Leader | undefined): void {
    if (leader === undefined) return;
    this.watch.add(leader, () => this.adoptedGone(attempt));
    this.options.log.adopted(attempt, leader.pid);
    this.applySlots();
  }

  private adoptedGone(attempt: JournaledAttempt): void {
    this.scripts.remove(attemptName(attempt));
    this.finish(attempt, lost(UNKNOWN_END));
    this.applySlots();
  }

  /** The end was at the time that is given, now without one, and nobody knows when if it is null. */
  private finish(
    attempt: JournaledAttempt,
    { exit_status, signal, reason, isLost }: Ended,
    endMs?: number | null,
  ): void {
    crashAt('exit-seen');
    const { clock, journal } = this.options;
    const { jid, attempt: number, started } = attempt;
    const finishedMs = endMs ?? clock.monotonicMs();
    const elapsedMs = Math.round(finishedMs - attempt.monotonic_ms);
    const pid = attempt.process?.pid ?? null;
    const exit: Exit = {
      jid,
      attempt: number,
      pid,
      started,
      finished: wallTime(clock, finishedMs),
      elapsed: endMs === null ? null : elapsedMs / 1000,
      exit_status,
      signal,
      reason: reason?.slice(0, MAX_REASON_LENGTH) ?? null,
      isLost,
    };
    journal.exited(attempt, exit);
    this.running.delete(attemptName(attempt));
    if (this.ended.length === 0) setImmediate(() => this.report());
    this.ended.push(exit);
    if (pid !== null) this.graces.leaderEnded(attempt, pid);
  }

  private report(): void {
    this.options.journal.settle();
    crashAt('exit-journaled');
    const exits = this.ended;
    this.ended = [];
    this.options.onExits(exits);
    this.tellIfQuiet();
  }

  private tellIfQuiet(): void {
    if (this.isQuiet) this.options.onQuiet();
  }
}

function compare(one: AttemptKey, other: AttemptKey): number {
  return one.jid - other.jid || one.attempt - other.attempt;
}

/** One that has neither process nor exit has just been spawned: what becomes of it is waited for. */
function described({ jid, attempt, started, process, exit }: JournaledAttempt): object[] {
  if (exit !== undefined) return [{ state: 'exited', ...exitFields(exit) }];
  return process === undefined ? [] : [{ jid, attempt, state: 'running', pid: process.pid, started }];
}

import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import { crashAt } from '../job/crash-points.ts';
import { errorCode } from '../job/errors.ts';
import type { AttemptKey } from '../job/job.ts';
import { findAttempts, isAlive } from './adopt.ts';
import { GraceTimers, type Leader, signalGroup } from './grace.ts';
import type { Journal } from './journal.ts';
import type { JournaledAttempt } from './journal-entries.ts';
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
} from './protocol.ts';
import { Scripts } from './scripts.ts';
import { CannotStart } from './start-failure.ts';
import { type Ended, failed, lost, type Starter, type StartOrder } from './starter.ts';
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
  /** All exits of one turn of the event loop; they are in the journal. */
  readonly onExits: (exits: readonly Exit[]) => void;
  /** Nothing runs any more, and no grace time is due. */
  readonly onQuiet: () => void;
}

/** What became of a spawn: the pid is null where nothing was started. */
export interface Spawned {
  readonly pid: number | null;
  readonly started: string;
}

/** The attempts that run, and what can be done to them. */
export class Jobs {
  /** Those with the starter that it has not begun with yet, each with a promise for when it has. */
  private readonly starting = new Map<string, Promise<unknown>>();
  private readonly running = new Map<string, Leader>();
  private readonly graces: GraceTimers;
  private readonly watch: Watch;
  private readonly scripts: Scripts;
  private ended: Exit[] = [];

  constructor(private readonly options: JobsOptions) {
    this.graces = new GraceTimers(options.log, () => this.tellIfQuiet());
    this.watch = new Watch(options.log);
    this.scripts = new Scripts(join(options.directory, 'scripts'));
  }

  /** Replaces the base environment of all that is spawned from now on. */
  set environment(base: Environment) {
    this.options.starter.environment(base);
  }

  get runningCount(): number {
    return this.running.size;
  }

  get isQuiet(): boolean {
    return this.running.size + this.starting.size + this.graces.size + this.ended.length === 0;
  }

  /** Takes over what an earlier runner left running, and ends what is gone. To be called once, before all else. */
  adopt(): void {
    const { journal, log } = this.options;
    const open = [...journal.attempts.values()].filter(({ exit }) => exit === undefined);
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
        this.finish(attempt, lost(leader === undefined ? MAYBE_STARTED : UNKNOWN_END), false);
      }
    }
    this.scripts.sweep((name) => this.running.has(name));
    this.environment = ownEnvironment();
  }

  /** Has an attempt started; pid null if it ended at once. Throws RequestError ATTEMPT_KNOWN or JOURNAL. */
  spawn(request: SpawnRequest): Promise<Spawned> {
    const { journal, clock } = this.options;
    const { jid, attempt: number } = request;
    const name = attemptName(request);
    if (journal.attempts.has(name)) {
      throw new RequestError('ATTEMPT_KNOWN', `attempt ${number} of job ${jid} was started before`);
    }
    const attempt = { jid, attempt: number, started: clock.now(), monotonic_ms: clock.monotonicMs() };
    const words = this.prepare(request, attempt);
    if (words === undefined) return Promise.resolve({ pid: null, started: attempt.started });
    try {
      journal.spawn(attempt);
    } catch (error) {
      this.scripts.remove(name);
      throw error;
    }
    crashAt('attempt-journaled');
    return this.start(attempt, {
      name,
      request,
      words,
      env: { ...request.env, RQ_ATTEMPT_ID: `${journal.id}.${name}` },
    });
  }

  /** Does it when all that was spawned until now has begun or could not: at once, if nothing is about to. */
  afterStarts<Done>(act: () => Done): Done | Promise<Done> {
    return this.starting.size === 0 ? act() : Promise.all(this.starting.values()).then(act);
  }

  /** Signals the group of a running attempt. Throws RequestError NO_ATTEMPT or FAILED. */
  signal({ jid, attempt, signal, graceMs }: SignalRequest): object {
    const key = { jid, attempt };
    const leader = this.running.get(attemptName(key));
    const isAdopted = leader !== undefined && this.watch.has(leader);
    if (leader === undefined || (isAdopted && !isAlive(leader)) || !this.send(leader, signal)) {
      throw new RequestError('NO_ATTEMPT', `attempt ${attempt} of job ${jid} is not running`);
    }
    if (graceMs !== undefined) this.graces.start(key, leader, graceMs);
    return {};
  }

  /** What is known as the fields of a reply, in order, from behind `after`. */
  list(after: AttemptKey | null): { attempts: object[]; more: boolean } {
    const { journal } = this.options;
    journal.settle();
    const isListed = (attempt: JournaledAttempt): boolean => after === null || compare(attempt, after) > 0;
    const listed = [...journal.attempts.values()].filter(isListed).sort(compare);
    return { attempts: listed.slice(0, MAX_LISTED).flatMap(described), more: listed.length > MAX_LISTED };
  }

  private prepare(request: SpawnRequest, attempt: JournaledAttempt): string[] | undefined {
    try {
      return this.scripts.words(attemptName(request), request.command);
    } catch (error) {
      if (!(error instanceof CannotStart)) throw error;
      this.options.journal.refused(attempt);
      this.finish(attempt, failed(error.message));
      return undefined;
    }
  }

  /** Resolves as soon as the attempt has begun, or could not. */
  private start(attempt: JournaledAttempt, order: StartOrder): Promise<Spawned> {
    const { journal, starter } = this.options;
    const { name } = order;
    let begun: (pid: number | null) => void = () => undefined;
    const spawned = new Promise<Spawned>((resolve) => {
      begun = (pid) => {
        this.starting.delete(name);
        resolve({ pid, started: attempt.started });
      };
    });
    this.starting.set(name, spawned);
    starter.start(order, {
      onStarted: (leader) => {
        crashAt('attempt-forked');
        this.running.set(name, leader);
        journal.started(attempt, leader);
        begun(leader.pid);
      },
      onOrphaned: () => this.adoptOne(attempt, this.running.get(name)),
      onEnd: (ended) => {
        if (order.words[0] !== '-c') this.scripts.remove(name);
        this.finish(attempt, ended, !ended.isLost);
        begun(null);
      },
    });
    return spawned;
  }

  private send(leader: Leader, signal: NodeJS.Signals): boolean {
    const { pid } = leader;
    try {
      if (signalGroup(pid, signal)) return true;
      // Forked, and not yet come to making itself the leader of a group: then it is alone.
      return isAlive(leader) && process.kill(pid, signal);
    } catch (error) {
      if (errorCode(error) === 'ESRCH') return false;
      throw new RequestError('FAILED', `cannot send ${signal} to the process group ${pid}`, error);
    }
  }

  /** From now on nobody tells the end of it. */
  private adoptOne(attempt: JournaledAttempt, leader: Leader | undefined): void {
    if (leader === undefined) return;
    this.watch.add(leader, () => this.adoptedGone(attempt));
    this.options.log.adopted(attempt, leader.pid);
  }

  private adoptedGone(attempt: JournaledAttempt): void {
    this.scripts.remove(attemptName(attempt));
    this.finish(attempt, lost(UNKNOWN_END));
  }

  private finish(attempt: JournaledAttempt, { exit_status, signal, reason, isLost }: Ended, wasSeen = true): void {
    crashAt('exit-seen');
    const { clock, journal } = this.options;
    const { jid, attempt: number, started } = attempt;
    const elapsedMs = Math.round(clock.monotonicMs() - attempt.monotonic_ms);
    const pid = attempt.process?.pid ?? null;
    const exit: Exit = {
      jid,
      attempt: number,
      pid,
      started,
      finished: clock.now(),
      elapsed: wasSeen ? elapsedMs / 1000 : null,
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

function ownEnvironment(): Environment {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function compare(one: AttemptKey, other: AttemptKey): number {
  return one.jid - other.jid || one.attempt - other.attempt;
}

/** One that has neither process nor exit is about to get one of them: `begun` waits for that. */
function described({ jid, attempt, started, process, exit }: JournaledAttempt): object[] {
  if (exit !== undefined) return [{ state: 'exited', ...exitFields(exit) }];
  return process === undefined ? [] : [{ jid, attempt, state: 'running', pid: process.pid, started }];
}

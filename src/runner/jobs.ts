import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import { crashAt } from '../job/crash-points.ts';
import type { AttemptKey } from '../job/job.ts';
import { processStartTime } from '../job/process.ts';
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
import {
  discardSpawn,
  type Ended,
  failed,
  findBash,
  type PreparedSpawn,
  prepareSpawn,
  removeScript,
  startProcess,
  sweepScripts,
} from './spawn.ts';
import { CannotStart } from './start-failure.ts';
import { Watch } from './watch.ts';

const UNKNOWN_END = 'the runner was killed, so the exit status is unknown';
const MAYBE_STARTED = 'the runner was killed while it started the job, which may have run';

export interface JobsOptions {
  readonly directory: string;
  readonly journal: Journal;
  /** Its monotonic time must be that of all processes of this boot. */
  readonly clock: Clock;
  readonly log: RunnerLog;
  /** All exits of one turn of the event loop; they are in the journal. */
  readonly onExits: (exits: readonly Exit[]) => void;
  /** Nothing runs any more, and no grace time is due. */
  readonly onQuiet: () => void;
}

/** The attempts that run, and what can be done to them. */
export class Jobs {
  environment: Environment = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  private readonly running = new Map<string, Leader>();
  private readonly graces: GraceTimers;
  private readonly watch: Watch;
  private readonly bash = findBash();
  private readonly scripts: string;
  private ended: Exit[] = [];

  constructor(private readonly options: JobsOptions) {
    this.graces = new GraceTimers(options.log, () => this.tellIfQuiet());
    this.watch = new Watch(options.log);
    this.scripts = join(options.directory, 'scripts');
  }

  get runningCount(): number {
    return this.running.size;
  }

  get isQuiet(): boolean {
    return this.running.size === 0 && this.graces.size === 0 && this.ended.length === 0;
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
        this.watch.add(leader, () => this.adoptedGone(attempt));
        log.adopted(attempt, leader.pid);
      } else {
        log.lost(attempt);
        this.finish(attempt, lost(leader === undefined ? MAYBE_STARTED : UNKNOWN_END), false);
      }
    }
    sweepScripts(this.scripts, (name) => this.running.has(name));
  }

  /** Starts an attempt; pid null if it ended at once. Throws RequestError ATTEMPT_KNOWN or JOURNAL. */
  spawn(request: SpawnRequest): { pid: number | null; started: string } {
    const { journal, clock } = this.options;
    const { jid, attempt: number } = request;
    const name = attemptName(request);
    if (journal.attempts.has(name)) {
      throw new RequestError('ATTEMPT_KNOWN', `attempt ${number} of job ${jid} was started before`);
    }
    const attempt = { jid, attempt: number, started: clock.now(), monotonic_ms: clock.monotonicMs() };
    const prepared = this.prepare(request, attempt);
    if (prepared === undefined) return { pid: null, started: attempt.started };
    try {
      journal.spawn(attempt);
    } catch (error) {
      discardSpawn(prepared);
      throw error;
    }
    crashAt('attempt-journaled');
    const env = { ...this.environment, ...request.env, RQ_ATTEMPT_ID: `${journal.id}.${name}` };
    const pid = startProcess(prepared, this.bash, env, (ended) => this.finish(attempt, ended));
    crashAt('attempt-forked');
    if (pid !== null) {
      const leader = { pid, start_time: this.startTime(pid) };
      this.running.set(name, leader);
      journal.started(attempt, leader);
    }
    return { pid, started: attempt.started };
  }

  /** Signals the group of a running attempt. Throws RequestError NO_ATTEMPT or FAILED. */
  signal({ jid, attempt, signal, graceMs }: SignalRequest): void {
    const key = { jid, attempt };
    const leader = this.running.get(attemptName(key));
    const isAdopted = leader !== undefined && this.watch.has(leader);
    if (leader === undefined || (isAdopted && !isAlive(leader)) || !this.send(leader.pid, signal)) {
      throw new RequestError('NO_ATTEMPT', `attempt ${attempt} of job ${jid} is not running`);
    }
    if (graceMs !== undefined) this.graces.start(key, leader, graceMs);
  }

  /** What is known as the fields of a reply, in order, from behind `after`. */
  list(after: AttemptKey | null): { attempts: object[]; more: boolean } {
    const { journal } = this.options;
    journal.settle();
    const isListed = (attempt: JournaledAttempt): boolean => after === null || compare(attempt, after) > 0;
    const listed = [...journal.attempts.values()].filter(isListed).sort(compare);
    return { attempts: listed.slice(0, MAX_LISTED).flatMap(described), more: listed.length > MAX_LISTED };
  }

  private prepare(request: SpawnRequest, attempt: JournaledAttempt): PreparedSpawn | undefined {
    try {
      return prepareSpawn(request, this.scripts);
    } catch (error) {
      if (!(error instanceof CannotStart)) throw error;
      this.options.journal.refused(attempt);
      this.finish(attempt, failed(error.message));
      return undefined;
    }
  }

  /** Never throws: the job runs, whatever cannot be read about it. */
  private startTime(pid: number): number | null {
    try {
      return processStartTime(pid) ?? null;
    } catch (error) {
      this.options.log.failed('read the start time of a job', error);
      return null;
    }
  }

  private send(pid: number, signal: NodeJS.Signals): boolean {
    try {
      return signalGroup(pid, signal);
    } catch (error) {
      throw new RequestError('FAILED', `cannot send ${signal} to the process group ${pid}`, error);
    }
  }

  private adoptedGone(attempt: JournaledAttempt): void {
    removeScript(this.scripts, attemptName(attempt));
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

function lost(reason: string): Ended {
  return { exit_status: null, signal: null, reason, isLost: true };
}

function compare(one: AttemptKey, other: AttemptKey): number {
  return one.jid - other.jid || one.attempt - other.attempt;
}

/** One whose fork failed a moment ago has neither process nor exit, and is not listed yet. */
function described({ jid, attempt, started, process, exit }: JournaledAttempt): object[] {
  if (exit !== undefined) return [{ state: 'exited', ...exitFields(exit) }];
  return process === undefined ? [] : [{ jid, attempt, state: 'running', pid: process.pid, started }];
}

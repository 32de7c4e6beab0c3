import { type Clock, wallTime } from '../../job/clock.ts';
import { crashAt } from '../../job/crash-points.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournaledAttempt } from '../journal/journal-entries.ts';
import type { Leader } from '../processes/leader.ts';
import { attemptName, RequestError, type Spawned, type SpawnRequest } from '../protocol/messages.ts';
import type { Scripts } from './scripts.ts';
import { CannotStart } from './start-failure.ts';
import { type AttemptEnd, type Starter, type StartRequest, startFailed } from './starter.ts';

export interface PendingStartsOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly starter: Starter;
  readonly scripts: Scripts;
  readonly onStarted: (attempt: JournaledAttempt, leader: Leader) => void;
  readonly onOrphaned: (attempt: JournaledAttempt) => void;
  /**
   * Called also for an attempt that did not start. The time is CLOCK_MONOTONIC; undefined means now, null means unknown.
   */
  readonly onEnd: (attempt: JournaledAttempt, end: AttemptEnd, monotonicMs?: number | null) => void;
  readonly onCancelled: () => void;
}

/** The attempts that are spawned and have not yet started, failed or been cancelled. */
export class PendingStarts {
  /** Promises that resolve when the start is decided. They never reject. */
  private readonly pending = new Map<string, Promise<void>>();

  constructor(private readonly options: PendingStartsOptions) {}

  get size(): number {
    return this.pending.size;
  }

  /** Starts an attempt. Throws RequestError ATTEMPT_KNOWN or JOURNAL; rejects with RequestError CANCELLED or FAILED. */
  spawn(request: SpawnRequest): Promise<Spawned> {
    const { journal, clock, scripts } = this.options;
    const { jid, attempt: number } = request;
    const name = attemptName(request);
    if (journal.attempts.has(name)) {
      throw new RequestError('ATTEMPT_KNOWN', `attempt ${number} of job ${jid} is already in the journal`);
    }
    const attempt = { jid, attempt: number, started: clock.now(), monotonic_ms: clock.monotonicMs() };
    const bashArguments = this.prepare(request, attempt);
    if (bashArguments === undefined) return Promise.resolve({ pid: null, started: attempt.started });
    try {
      journal.recordSpawn(attempt);
    } catch (error) {
      scripts.remove(name);
      throw error;
    }
    crashAt('attempt-journaled');
    const env = { ...request.env, RQ_ATTEMPT_ID: `${journal.id}.${name}` };
    return this.start(attempt, { name, request, bashArguments, env });
  }

  /** Cancels an attempt that waits for a slot. Its spawn rejects with CANCELLED. */
  cancel(name: string): void {
    if (this.pending.has(name)) this.options.starter.cancel(name);
  }

  cancelAll(): void {
    for (const name of this.pending.keys()) this.cancel(name);
  }

  /** Calls `act` when the pending start of that name, or all of them, are decided. Calls it at once if none is pending. */
  whenDecided<Result>(act: () => Result, name?: string): Result | Promise<Result> {
    const starts = name === undefined ? [...this.pending.values()] : [this.pending.get(name)];
    const pending = starts.filter((start) => start !== undefined);
    return pending.length === 0 ? act() : Promise.all(pending).then(act);
  }

  /** Removes all traces of an attempt that was never started. */
  discard(attempt: JournaledAttempt): void {
    this.options.scripts.remove(attemptName(attempt));
    this.options.journal.discard(attempt);
  }

  /** Returns the arguments of bash. Undefined if there can be none; the attempt has ended then. */
  private prepare(request: SpawnRequest, attempt: JournaledAttempt): string[] | undefined {
    const { journal, scripts, onEnd } = this.options;
    try {
      return scripts.bashArguments(attemptName(request), request.command);
    } catch (error) {
      if (!(error instanceof CannotStart)) throw error;
      journal.recordFailedSpawn(attempt);
      onEnd(attempt, startFailed(error.message));
      return undefined;
    }
  }

  private start(attempt: JournaledAttempt, request: StartRequest): Promise<Spawned> {
    const { clock, scripts, starter, onStarted, onOrphaned, onEnd, onCancelled } = this.options;
    const { name } = request;
    let resolvePending: () => void = () => undefined;
    this.pending.set(name, new Promise((resolve) => (resolvePending = resolve)));
    const decide = (): void => {
      this.pending.delete(name);
      resolvePending();
    };
    return new Promise((resolve, reject) => {
      starter.start(request, {
        onCancelled: () => {
          this.discard(attempt);
          decide();
          reject(new RequestError('CANCELLED', `attempt ${attempt.attempt} of job ${attempt.jid} was cancelled`));
          onCancelled();
        },
        onStarted: (leader, monotonicMs) => {
          crashAt('attempt-forked');
          attempt.monotonic_ms = monotonicMs ?? clock.monotonicMs();
          attempt.started = wallTime(clock, attempt.monotonic_ms);
          onStarted(attempt, leader);
          decide();
          resolve({ pid: leader.pid, started: attempt.started });
        },
        onOrphaned: () => onOrphaned(attempt),
        onEnd: (end, monotonicMs) => {
          if (request.bashArguments[0] !== '-c') scripts.remove(name);
          onEnd(attempt, end, end.isLost ? null : monotonicMs);
          decide();
          resolve({ pid: null, started: attempt.started });
        },
      });
    });
  }
}

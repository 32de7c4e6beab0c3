import { type Clock, wallTime } from '../../job/clock.ts';
import { crashAt } from '../../job/crash-points.ts';
import type { Journal } from '../journal/journal.ts';
import { type JournaledAttempt, newSerial } from '../journal/journal-entries.ts';
import type { Leader } from '../leader.ts';
import { attemptName, type NotStarted, RequestError, type Spawned, type SpawnRequest } from '../protocol/messages.ts';
import { type AttemptEnd, startFailed } from './attempt-end.ts';
import type { Scripts } from './scripts.ts';
import { CannotStart, failureReason, kindOf } from './start-failure.ts';
import type { StarterClient } from './starter-client.ts';
import type { StartFailure } from './starter-observer.ts';

export interface PendingStartsOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly starter: StarterClient;
  readonly scripts: Scripts;
  readonly onStarted: (attempt: JournaledAttempt, leader: Leader) => void;
  /** Called for an attempt that could not be started. */
  readonly onEnd: (attempt: JournaledAttempt, end: AttemptEnd) => void;
  readonly onCancelled: () => void;
}

/** An attempt that has not yet started, failed or been cancelled. */
interface PendingStart {
  readonly attempt: JournaledAttempt;
  readonly request: SpawnRequest;
  readonly bashArguments: readonly string[];
  readonly reply: Promise<Spawned>;
  readonly resolve: (spawned: Spawned) => void;
  readonly reject: (error: unknown) => void;
}

/** The attempts that are spawned and have not yet started, failed or been cancelled. */
export class PendingStarts {
  private readonly pending = new Map<string, PendingStart>();
  /** Those that are not yet in the journal. The requests of one turn of the event loop are journaled together. */
  private unsent: PendingStart[] = [];

  constructor(private readonly options: PendingStartsOptions) {}

  get size(): number {
    return this.pending.size;
  }

  /** Throws RequestError ATTEMPT_KNOWN; rejects with RequestError CANCELLED, NOT_READY or JOURNAL. */
  spawn(request: SpawnRequest): Promise<Spawned> {
    const { journal, clock } = this.options;
    const { jid, claim, weight = 1, limits = {}, holding } = request;
    const name = attemptName(request);
    if (journal.attempts.has(name) || this.pending.has(name)) {
      throw new RequestError('ATTEMPT_KNOWN', `attempt ${name} is already in the journal`);
    }
    const times = { started: clock.now(), monotonic_ms: clock.monotonicMs() };
    const held = holding === undefined ? {} : { holding };
    const attempt = { jid, claim, ...times, serial: newSerial(), weight, limits, ...held };
    const bashArguments = this.prepare(request, attempt);
    if (bashArguments === undefined) return Promise.resolve({ pid: null, started: attempt.started });
    const { promise: reply, ...settle } = withResolvers<Spawned>();
    const start = { attempt, request, bashArguments, reply, ...settle };
    this.pending.set(name, start);
    if (this.unsent.push(start) === 1) setImmediate(() => this.sendAll());
    return reply;
  }

  /** Cancels an attempt that has not begun. Its spawn rejects with CANCELLED. */
  cancel(name: string): void {
    if (!this.pending.has(name)) return;
    this.sendAll();
    this.options.starter.cancel(name);
  }

  cancelAll(): void {
    for (const name of this.pending.keys()) this.cancel(name);
  }

  /** Calls `act` when the pending start of that name, or all of them, are decided. Calls it at once if none is pending. */
  whenDecided<Result>(act: () => Result, name?: string): Result | Promise<Awaited<Result>> {
    const starts = name === undefined ? [...this.pending.values()] : [this.pending.get(name)];
    const replies = starts.flatMap((start) => (start === undefined ? [] : [start.reply]));
    return replies.length === 0 ? act() : (Promise.allSettled(replies).then(act) as Promise<Awaited<Result>>);
  }

  /** Removes all traces of an attempt that was never started. */
  discard(attempt: JournaledAttempt): void {
    this.options.scripts.remove(attemptName(attempt));
    this.options.journal.discard(attempt);
  }

  /** False if no such start is pending. */
  started(name: string, leader: Leader, startedMs: number): boolean {
    const start = this.take(name);
    if (start === undefined) return false;
    crashAt('attempt-forked');
    const { attempt, resolve } = start;
    attempt.monotonic_ms = startedMs;
    attempt.started = wallTime(this.options.clock, startedMs);
    this.options.onStarted(attempt, leader);
    resolve({ pid: leader.pid, started: attempt.started });
    return true;
  }

  /** False if no such start is pending. */
  failed(name: string, failure: StartFailure): boolean {
    const start = this.take(name);
    if (start !== undefined) this.fail(start, failureReason(start.request, failure), kindOf(failure));
    return start !== undefined;
  }

  cancelled(name: string, cause: string): void {
    const start = this.take(name);
    if (start === undefined) return;
    const { attempt, request, reject } = start;
    this.discard(attempt);
    const isTimeout = cause === 'timeout';
    const message = isTimeout
      ? `the directory ${request.cwd} did not become available within 60 s`
      : `attempt ${attemptName(attempt)} was cancelled`;
    reject(new RequestError(isTimeout ? 'NOT_READY' : 'CANCELLED', message));
    this.options.onCancelled();
  }

  private take(name: string): PendingStart | undefined {
    const start = this.pending.get(name);
    this.pending.delete(name);
    return start;
  }

  /** Returns the arguments of bash. Undefined if there can be none; the attempt has ended then. */
  private prepare(request: SpawnRequest, attempt: JournaledAttempt): string[] | undefined {
    const { journal, scripts, onEnd } = this.options;
    try {
      return scripts.bashArguments(attemptName(request), request.command);
    } catch (error) {
      if (!(error instanceof CannotStart)) throw error;
      journal.add(attempt);
      onEnd(attempt, startFailed(error.message, error.kind));
      return undefined;
    }
  }

  /** Journals the new attempts and sends them to the starter. */
  private sendAll(): void {
    const starts = this.unsent;
    if (starts.length === 0) return;
    this.unsent = [];
    try {
      this.options.journal.recordSpawns(starts.map(({ attempt }) => attempt));
    } catch (error) {
      for (const { attempt, reject } of starts) {
        this.pending.delete(attemptName(attempt));
        this.options.scripts.remove(attemptName(attempt));
        reject(error);
      }
      this.options.onCancelled();
      return;
    }
    crashAt('attempt-journaled');
    for (const start of starts) this.send(start);
  }

  private send(start: PendingStart): void {
    const { attempt, request, bashArguments } = start;
    const { cwd, stdin, stdout, stderr, env, revalidate = false } = request;
    const { serial, weight } = attempt;
    const name = attemptName(attempt);
    const id = `${this.options.journal.id}.${name}`;
    const job = { cwd, stdio: [stdin, stdout, stderr], revalidate, bashArguments, env } as const;
    if (this.options.starter.start({ name, serial, weight, id, ...job })) return;
    this.take(name);
    this.fail(start, 'cannot start bash: argument list too long', 'failed');
  }

  private fail({ attempt, resolve }: PendingStart, reason: string, kind: NotStarted): void {
    this.options.onEnd(attempt, startFailed(reason, kind));
    resolve({ pid: null, started: attempt.started });
  }
}

function withResolvers<Value>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (error: unknown) => void;
} {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

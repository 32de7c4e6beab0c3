import { type Clock, wallTime } from '../../job/clock.ts';
import { crashAt } from '../../job/crash-points.ts';
import type { Leader } from '../grace.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournaledAttempt } from '../journal/journal-entries.ts';
import { attemptName, RequestError, type SpawnRequest } from '../protocol/protocol.ts';
import type { Scripts } from './scripts.ts';
import { CannotStart } from './start-failure.ts';
import { type Attendant, type Ended, failed, type Starter, type StartOrder } from './starter.ts';

/** What became of a spawn: the pid is null where nothing was started. */
export interface Spawned {
  readonly pid: number | null;
  readonly started: string;
}

export interface StartsOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly starter: Starter;
  readonly scripts: Scripts;
  readonly onStarted: (attempt: JournaledAttempt, leader: Leader) => void;
  readonly onOrphaned: (attempt: JournaledAttempt) => void;
  /** Also without a start before it. The time is CLOCK_MONOTONIC, undefined for now, null for unknown. */
  readonly onEnd: (attempt: JournaledAttempt, ended: Ended, monotonicMs?: number | null) => void;
  readonly onCancelled: () => void;
}

/** The attempts between their spawn and the word of what became of it. */
export class Starts {
  /** Each with a promise for that word; none rejects. */
  private readonly waiting = new Map<string, Promise<void>>();

  constructor(private readonly options: StartsOptions) {}

  get size(): number {
    return this.waiting.size;
  }

  /** Has an attempt started, as Jobs.spawn says. */
  spawn(request: SpawnRequest): Promise<Spawned> {
    const { journal, clock, scripts } = this.options;
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
      scripts.remove(name);
      throw error;
    }
    crashAt('attempt-journaled');
    const env = { ...request.env, RQ_ATTEMPT_ID: `${journal.id}.${name}` };
    return this.start(attempt, { name, request, words, env });
  }

  /** Takes an attempt back if it waits for a slot: its spawn rejects with CANCELLED. */
  cancel(name: string): void {
    if (this.waiting.has(name)) this.options.starter.cancel(name);
  }

  cancelAll(): void {
    for (const name of this.waiting.keys()) this.cancel(name);
  }

  /** Does it when it is known what became of a spawn, or of all until now: at once, if it is known already. */
  whenKnown<Done>(act: () => Done, name?: string): Done | Promise<Done> {
    const words = name === undefined ? [...this.waiting.values()] : [this.waiting.get(name)];
    const open = words.filter((word) => word !== undefined);
    return open.length === 0 ? act() : Promise.all(open).then(act);
  }

  /** As if the spawn had never been asked for. */
  forget(attempt: JournaledAttempt): void {
    this.options.scripts.remove(attemptName(attempt));
    this.options.journal.forget(attempt);
  }

  private prepare(request: SpawnRequest, attempt: JournaledAttempt): string[] | undefined {
    const { journal, scripts, onEnd } = this.options;
    try {
      return scripts.words(attemptName(request), request.command);
    } catch (error) {
      if (!(error instanceof CannotStart)) throw error;
      journal.refused(attempt);
      onEnd(attempt, failed(error.message));
      return undefined;
    }
  }

  private start(attempt: JournaledAttempt, order: StartOrder): Promise<Spawned> {
    const { clock } = this.options;
    const { name } = order;
    let tell: () => void = () => undefined;
    this.waiting.set(name, new Promise((resolve) => (tell = resolve)));
    const told = (): void => {
      this.waiting.delete(name);
      tell();
    };
    return new Promise((resolve, reject) => {
      const attendant: Attendant = {
        onCancelled: () => {
          this.forget(attempt);
          told();
          reject(new RequestError('CANCELLED', `attempt ${attempt.attempt} of job ${attempt.jid} did not begin`));
          this.options.onCancelled();
        },
        onStarted: (leader, monotonicMs) => {
          crashAt('attempt-forked');
          attempt.monotonic_ms = monotonicMs ?? clock.monotonicMs();
          attempt.started = wallTime(clock, attempt.monotonic_ms);
          this.options.onStarted(attempt, leader);
          told();
          resolve({ pid: leader.pid, started: attempt.started });
        },
        onOrphaned: () => this.options.onOrphaned(attempt),
        onEnd: (ended, monotonicMs) => {
          if (order.words[0] !== '-c') this.options.scripts.remove(name);
          this.options.onEnd(attempt, ended, ended.isLost ? null : monotonicMs);
          told();
          resolve({ pid: null, started: attempt.started });
        },
      };
      try {
        this.options.starter.start(order, attendant);
      } catch (error) {
        this.forget(attempt);
        told();
        reject(new RequestError('FAILED', `cannot start attempt ${attempt.attempt} of job ${attempt.jid}`, error));
      }
    });
  }
}

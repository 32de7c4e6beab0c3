import { type Clock, wallTime } from '../job/clock.ts';
import { RqError } from '../job/errors.ts';
import type { Journal } from './journal/journal.ts';
import { type JournaledAttempt, newSerial } from './journal/journal-entries.ts';
import type { Leader } from './leader.ts';
import type { RunnerLog } from './log.ts';
import { attemptName } from './protocol/messages.ts';
import { endUnknown, type ObservedEnd, startFailed } from './start/attempt-end.ts';
import { failureReason, kindOf } from './start/start-failure.ts';
import { type StarterClient, UNKNOWN_END } from './start/starter-client.ts';
import type { BegunAttempt } from './start/starter-observer.ts';

const MAY_HAVE_RUN = 'the starter was killed while it started the job; the job may have run';
const TIMEOUT_MS = 30_000;

export interface AdoptionOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RunnerLog;
  readonly starter: StarterClient;
  readonly onRunning: (attempt: JournaledAttempt, leader: Leader) => void;
  /** The time is CLOCK_MONOTONIC; undefined means now, null means unknown. */
  readonly onEnd: (attempt: JournaledAttempt, end: ObservedEnd, endedMs: number | null | undefined) => void;
  /** The starter still has an end that the journal contains. */
  readonly onEndKnown: (name: string) => void;
  readonly onNeverStarted: (attempt: JournaledAttempt) => void;
}

/** Determines what became of the attempts of an earlier runner: from the journal, the starter and the start records. */
export class Adoption {
  /** Those of an earlier starter that this starter is asked for. */
  private readonly requested = new Map<string, JournaledAttempt>();
  private onAnswered: () => void = () => undefined;

  constructor(private readonly options: AdoptionOptions) {}

  /** Resolves when every attempt of the journal runs, has ended, or is discarded. Rejects if the starter does not answer. */
  async resume(begun: ReadonlyMap<string, BegunAttempt>, records: ReadonlySet<string> | undefined): Promise<void> {
    this.addMissing(begun);
    for (const attempt of [...this.options.journal.attempts.values()]) {
      const name = attemptName(attempt);
      const known = begun.get(name);
      if (known !== undefined) this.resumeKnown(attempt, known);
      else if (attempt.exit !== undefined) continue;
      else if (attempt.process !== undefined || (records?.has(name) ?? true)) this.request(attempt);
      else this.options.onNeverStarted(attempt);
    }
    if (this.requested.size > 0) await this.answers();
  }

  /** The starter has found the process of an attempt. */
  adopted(name: string, leader: Leader): void {
    const attempt = this.requested.get(name);
    if (attempt === undefined) return;
    this.options.log.attemptAdopted(attempt, leader.pid);
    this.options.onRunning(attempt, leader);
    this.answered(name);
  }

  /** The starter has found no process of an attempt. */
  gone(name: string): void {
    const attempt = this.requested.get(name);
    if (attempt === undefined) return;
    this.options.log.attemptLost(attempt);
    this.options.onEnd(attempt, endUnknown(attempt.process === undefined ? MAY_HAVE_RUN : UNKNOWN_END), null);
    this.answered(name);
  }

  /** Adds attempts of the starter that a damaged journal does not contain. */
  private addMissing(begun: ReadonlyMap<string, BegunAttempt>): void {
    const { journal, clock, log } = this.options;
    for (const [name, { startedMs = clock.monotonicMs() }] of begun) {
      if (journal.attempts.has(name)) continue;
      const [jid = 0, claim = 0] = name.split('.').map(Number);
      const started = wallTime(clock, startedMs);
      journal.add({ jid, claim, started, monotonic_ms: startedMs, serial: newSerial(), weight: 1 });
      log.attemptRecovered({ jid, claim });
    }
  }

  private resumeKnown(attempt: JournaledAttempt, { leader, startedMs, failure, end, endedMs }: BegunAttempt): void {
    const { clock, onRunning, onEnd, onEndKnown } = this.options;
    if (end !== undefined || failure !== undefined) onEndKnown(attemptName(attempt));
    if (attempt.exit !== undefined) return;
    if (leader !== undefined) {
      // A start that the journal contains is reported already, with a wall time that would differ by milliseconds now.
      if (startedMs !== undefined && attempt.process === undefined) {
        attempt.monotonic_ms = startedMs;
        attempt.started = wallTime(clock, startedMs);
      }
      onRunning(attempt, leader);
    }
    if (end !== undefined) onEnd(attempt, end, endedMs);
    else if (failure !== undefined)
      onEnd(attempt, startFailed(failureReason(undefined, failure), kindOf(failure)), undefined);
  }

  private request(attempt: JournaledAttempt): void {
    const { journal, starter } = this.options;
    const name = attemptName(attempt);
    const { serial, weight, process = { pid: 0, start_time: null } } = attempt;
    this.requested.set(name, attempt);
    starter.adopt({ name, serial, weight, id: `${journal.previousId}.${name}`, ...process });
  }

  private async answers(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.onAnswered = resolve;
      const message = `the starter did not answer ${this.requested.size} requests to adopt jobs`;
      timer = setTimeout(() => reject(new RqError('RUNNER', message)), TIMEOUT_MS);
    }).finally(() => clearTimeout(timer));
  }

  private answered(name: string): void {
    this.requested.delete(name);
    if (this.requested.size === 0) this.onAnswered();
  }
}

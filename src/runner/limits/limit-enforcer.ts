import { constants } from 'node:os';
import type { Clock } from '../../job/clock.ts';
import { crashAt } from '../../job/crash-points.ts';
import { durationText } from '../../job/quantities/duration.ts';
import { exactSizeText, roundedSizeText } from '../../job/quantities/size.ts';
import type { Journal } from '../journal/journal.ts';
import { isPaused, type JournaledAttempt, type LimitHit } from '../journal/journal-entries.ts';
import type { RunnerLog } from '../log.ts';
import { attemptName } from '../protocol/messages.ts';
import type { AttemptEnd, ObservedEnd } from '../start/attempt-end.ts';
import type { StarterClient } from '../start/starter-client.ts';
import { MemoryLimits } from './memory-limits.ts';
import { TimeLimits } from './time-limits.ts';

const { SIGCONT, SIGSTOP, SIGTERM } = constants.signals;
/** The time between SIGTERM and SIGKILL, unless the spawn request has another one. */
const GRACE_MS = 30_000;
const STOP_ROUNDS = 5;

export interface LimitEnforcerOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RunnerLog;
  readonly starter: StarterClient;
}

/** Enforces the limits of running attempts, and pauses and resumes them. */
export class LimitEnforcer {
  /** The running attempts that are not being ended. */
  private readonly attempts = new Map<string, JournaledAttempt>();
  private readonly time: TimeLimits;
  private readonly memory: MemoryLimits;

  constructor(private readonly options: LimitEnforcerOptions) {
    this.time = new TimeLimits({
      ...options,
      onWarning: (attempt) => void this.warn(attempt),
      onLimit: (attempt) => this.end(attempt, 'time', timeReason(attempt)),
    });
    this.memory = new MemoryLimits({
      ...options,
      onLimit: (attempt, bytes) => this.end(attempt, 'memory', memoryReason(attempt, bytes)),
    });
  }

  /** To be called when an attempt starts or is adopted. An earlier runner may have been killed while it ended or paused it. */
  add(attempt: JournaledAttempt): void {
    const { hit, pause } = attempt;
    if (hit !== undefined) {
      this.sendEnd(attempt, hit);
      return;
    }
    this.attempts.set(attemptName(attempt), attempt);
    this.time.add(attempt);
    this.memory.add(attempt);
    if (pause === undefined) return;
    if (isPaused(attempt)) void this.stop(attempt);
    else void this.options.starter.signal(attemptName(attempt), SIGCONT);
  }

  /** To be called when an attempt ends or is being ended: it cannot be paused and has no limits any more. */
  remove(attempt: JournaledAttempt): void {
    const name = attemptName(attempt);
    this.attempts.delete(name);
    this.time.remove(name);
    this.memory.remove(name);
    this.recordResumed(attempt);
  }

  /** Stops all processes of an attempt. Resolves with their number; 0 if it does not run or is being ended. */
  async pause(name: string): Promise<number> {
    const attempt = this.attempts.get(name);
    if (attempt === undefined) return 0;
    const { clock, journal } = this.options;
    if (!isPaused(attempt)) {
      const earlierMs = attempt.pause?.earlierMs ?? 0;
      journal.recordPause(attempt, { sinceMs: clock.monotonicMs(), earlierMs });
      journal.flush();
      crashAt('pause-journaled');
    }
    return await this.stop(attempt);
  }

  /** Continues all processes of an attempt. Resolves with their number; 0 if it does not run or is being ended. */
  async resume(name: string): Promise<number> {
    const attempt = this.attempts.get(name);
    if (attempt === undefined) return 0;
    this.recordResumed(attempt);
    this.time.add(attempt);
    return await this.options.starter.signal(name, SIGCONT);
  }

  /** Adds the limit that the attempt has exceeded to its end. */
  withLimit(
    attempt: JournaledAttempt,
    { unsharedBytes = null, ...end }: ObservedEnd,
    endedMs?: number | null,
  ): AttemptEnd {
    if (end.exit_status === null && end.signal === null) return end;
    const { hit, limits: { memoryBytes = Number.POSITIVE_INFINITY } = {} } = attempt;
    const add = (limit: LimitHit['limit'], reason: string): AttemptEnd => {
      return { ...end, limit, reason: end.reason === null ? reason : `${reason}; ${end.reason}` };
    };
    // An attempt that had ended before is not affected.
    if (hit !== undefined && (endedMs ?? hit.monotonic_ms) >= hit.monotonic_ms) return add(hit.limit, hit.reason);
    const peak = unsharedBytes ?? 0;
    return peak > memoryBytes ? add('memory', memoryReason(attempt, peak)) : end;
  }

  /** A process that forks between the scan of processes and its stop leaves a child that the next round finds. */
  private async stop(attempt: JournaledAttempt): Promise<number> {
    const name = attemptName(attempt);
    let stopped = 0;
    for (let round = 0; round < STOP_ROUNDS; round++) {
      if (!this.attempts.has(name) || !isPaused(attempt)) break;
      const count = await this.options.starter.signal(name, SIGSTOP);
      if (count === stopped) break;
      stopped = count;
    }
    return stopped;
  }

  private recordResumed(attempt: JournaledAttempt): void {
    const { pause } = attempt;
    if (pause === undefined || pause.sinceMs === null) return;
    const { clock, journal } = this.options;
    const earlierMs = pause.earlierMs + clock.monotonicMs() - pause.sinceMs;
    journal.recordPause(attempt, { sinceMs: null, earlierMs });
    journal.flush();
  }

  /** A runner that is killed before the entry is written leaves the warning to the next one: it is sent at least once. */
  private async warn(attempt: JournaledAttempt): Promise<void> {
    const { warn } = attempt.limits ?? {};
    if (warn === undefined) return;
    const name = attemptName(attempt);
    attempt.isWarned = true;
    await this.options.starter.signal(name, constants.signals[warn.signal]);
    if (this.attempts.has(name)) this.options.journal.recordWarning(attempt);
  }

  /** The journal must contain the reason before the attempt ends of it. */
  private end(attempt: JournaledAttempt, limit: LimitHit['limit'], reason: string): void {
    const { clock, journal, log } = this.options;
    this.remove(attempt);
    const hit = { limit, reason, monotonic_ms: clock.monotonicMs() };
    journal.recordHit(attempt, hit);
    journal.flush();
    crashAt('limit-journaled');
    log.limitExceeded(attempt, reason);
    this.sendEnd(attempt, hit);
  }

  private sendEnd(attempt: JournaledAttempt, { monotonic_ms }: LimitHit): void {
    const { clock, starter } = this.options;
    const { graceMs = GRACE_MS } = attempt.limits ?? {};
    const remainingMs = Math.max(0, Math.round(monotonic_ms + graceMs - clock.monotonicMs()));
    void starter.end(attemptName(attempt), SIGTERM, remainingMs);
  }
}

function timeReason({ limits: { timeLimitMs = 0 } = {} }: JournaledAttempt): string {
  return `time limit of ${durationText(timeLimitMs / 1000)}`;
}

function memoryReason({ limits: { memoryBytes = 0 } = {} }: JournaledAttempt, bytes: number): string {
  return `memory limit of ${exactSizeText(memoryBytes)}: used ${roundedSizeText(bytes)}`;
}

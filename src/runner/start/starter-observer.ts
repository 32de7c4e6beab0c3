import type { Leader } from '../leader.ts';
import type { ObservedEnd } from './attempt-end.ts';

/** A step that failed when the starter started an attempt, and the errno; 0 if a path is not a regular file. */
export interface StartFailure {
  readonly step: string;
  readonly errno: number;
}

/** Receives the messages of the starter. Times are CLOCK_MONOTONIC in milliseconds; undefined if unknown. */
export interface StarterObserver {
  onStarted(name: string, leader: Leader, startedMs: number | undefined): void;
  onFailed(name: string, failure: StartFailure): void;
  /** The attempt never runs. The cause is `request`, `stale` or `timeout`. */
  onCancelled(name: string, cause: string): void;
  onEnded(name: string, end: ObservedEnd, endedMs: number | undefined): void;
  /** The process of an adopted attempt is alive. */
  onAdopted(name: string, leader: Leader): void;
  /** An attempt that was to be adopted has no process. */
  onGone(name: string): void;
}

/** What a starter knows of an attempt that it has begun. */
export interface BegunAttempt {
  leader?: Leader;
  startedMs?: number | undefined;
  failure?: StartFailure;
  end?: ObservedEnd;
  endedMs?: number | undefined;
}

/** Collects the list of attempts that a starter sends to a new runner. */
export class BegunAttempts implements StarterObserver {
  readonly attempts = new Map<string, BegunAttempt>();

  onStarted(name: string, leader: Leader, startedMs: number | undefined): void {
    Object.assign(this.attempt(name), { leader, startedMs });
  }

  onFailed(name: string, failure: StartFailure): void {
    this.attempt(name).failure = failure;
  }

  onEnded(name: string, end: ObservedEnd, endedMs: number | undefined): void {
    Object.assign(this.attempt(name), { end, endedMs });
  }

  // Only a later observer sends the requests that these messages answer.
  onCancelled = (): undefined => undefined;
  onAdopted = (): undefined => undefined;
  onGone = (): undefined => undefined;

  private attempt(name: string): BegunAttempt {
    const known = this.attempts.get(name) ?? {};
    this.attempts.set(name, known);
    return known;
  }
}

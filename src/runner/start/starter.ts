import type { Leader } from '../processes/leader.ts';
import type { Environment } from '../protocol/fields.ts';
import type { SpawnRequest } from '../protocol/messages.ts';

/** An attempt that is ready to start: next, its files are opened and its process is forked. */
export interface StartRequest {
  /** The name of the attempt, unique among the attempts that run. */
  readonly name: string;
  readonly request: SpawnRequest;
  readonly bashArguments: readonly string[];
  /** Added to the base environment. */
  readonly env: Environment;
}

/** How an attempt ended. */
export interface AttemptEnd {
  readonly exit_status: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  readonly isLost: boolean;
}

/**
 * Receives the progress of a start request: either `onCancelled`, or `onStarted` at most once and then `onEnd` once.
 * Times are CLOCK_MONOTONIC in milliseconds; undefined means now.
 */
export interface StartObserver {
  /** The start has not begun and never will. */
  onCancelled(): void;
  onStarted(leader: Leader, monotonicMs?: number): void;
  /** The attempt runs, but the starter can no longer report its end. */
  onOrphaned(): void;
  onEnd(end: AttemptEnd, monotonicMs?: number): void;
}

/** Forks and execs attempts. The base environment must be set before the first start. */
export interface Starter {
  environment(base: Environment): void;
  /** Sets the number of attempts that run at once; others wait. The default is unlimited. */
  slots(slots: number): void;
  /** Never throws. It may call the observer before it returns. */
  start(request: StartRequest, observer: StartObserver): void;
  /** Cancels a start that has not begun. The observer is called in any case. */
  cancel(name: string): void;
}

/** The end of an attempt that could not be started. */
export function startFailed(reason: string): AttemptEnd {
  return { exit_status: null, signal: null, reason, isLost: false };
}

/** The end of an attempt whose exit status is unknown. */
export function endUnknown(reason: string): AttemptEnd {
  return { exit_status: null, signal: null, reason, isLost: true };
}

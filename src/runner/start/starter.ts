import type { Leader } from '../grace.ts';
import type { Environment, SpawnRequest } from '../protocol/protocol.ts';

/** An attempt one step before its files are opened and it is forked. */
export interface StartOrder {
  /** Its attempt's, unique while it runs. */
  readonly name: string;
  readonly request: SpawnRequest;
  /** What bash is given as arguments. */
  readonly words: readonly string[];
  /** What is added to the base environment. */
  readonly env: Environment;
}

export interface Ended {
  readonly exit_status: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  readonly isLost: boolean;
}

/**
 * Told what becomes of an order: that it was cancelled, or its start at most once and its end once; nothing after that.
 * Times are CLOCK_MONOTONIC in milliseconds, undefined for about now.
 */
export interface Attendant {
  /** It was not begun, and will not be. */
  onCancelled(): void;
  onStarted(leader: Leader, monotonicMs?: number): void;
  /** It has started and goes on, but nobody will tell how it ends. */
  onOrphaned(): void;
  onEnd(ended: Ended, monotonicMs?: number): void;
}

/** What forks and execs. The base environment has to be given before the first start. */
export interface Starter {
  environment(base: Environment): void;
  /** How many run at once; further ones wait for their turn. Without this, any number. */
  slots(slots: number): void;
  /** Never throws; the attendant may be told before this returns. */
  start(order: StartOrder, attendant: Attendant): void;
  /** Takes back what has not begun; what has is not touched. Its attendant is told either way, sooner or later. */
  cancel(name: string): void;
}

/** The end of an attempt that could not be started. */
export function failed(reason: string): Ended {
  return { exit_status: null, signal: null, reason, isLost: false };
}

/** The end of an attempt that nobody has seen. */
export function lost(reason: string): Ended {
  return { exit_status: null, signal: null, reason, isLost: true };
}

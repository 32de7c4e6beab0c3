import type { Leader } from './grace.ts';
import type { Environment, SpawnRequest } from './protocol.ts';

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

/** Told what becomes of an order: its start at most once, its end once, and nothing after that. */
export interface Attendant {
  onStarted(leader: Leader): void;
  /** It has started and goes on, but nobody will tell how it ends. */
  onOrphaned(): void;
  onEnd(ended: Ended): void;
}

/** What forks and execs. The base environment has to be given before the first start. */
export interface Starter {
  environment(base: Environment): void;
  /** Never throws; the attendant may be told before this returns. */
  start(order: StartOrder, attendant: Attendant): void;
}

/** The end of an attempt that could not be started. */
export function failed(reason: string): Ended {
  return { exit_status: null, signal: null, reason, isLost: false };
}

/** The end of an attempt that nobody has seen. */
export function lost(reason: string): Ended {
  return { exit_status: null, signal: null, reason, isLost: true };
}

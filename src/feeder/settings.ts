import type { MayRun } from '../queue/exchange/exchange.ts';

export interface FeederSettings {
  readonly host: string;
  readonly slots: number;
  readonly minSleepMs: number;
  readonly maxSleepMs: number;
  /** End after so many polls. */
  readonly loops: number | undefined;
  readonly untilEmpty: boolean;
  /** How often in a row the queue may fail before the feeder gives up. */
  readonly retries: number;
  readonly mayRun: MayRun;
}

/** What a feeder was told to do last; each overrides the ones before it. */
export type Order = 'feed' | 'shutdown' | 'restart' | 'stop';
export const STRENGTH: Record<Order, number> = { feed: 0, restart: 1, shutdown: 2, stop: 3 };

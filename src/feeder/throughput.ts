import type { Clock } from '../job/clock.ts';

/** The weight of the newest value in the running averages. The first values weigh more. */
const NEWEST_WEIGHT = 0.3;
/** The feeder claims more than ends during one exchange by this factor, so that no slot waits for the next exchange. */
const AHEAD_FACTOR = 1.5;
const MAX_AHEAD = 512;
/**
 * How long results accumulate while claimed jobs are left to start. The time grows with the duration of an exchange,
 * since a long one means that many hosts want the lease. Below the maximum, a host spends at most a seventh of its time
 * in exchanges.
 */
const MIN_GATHER_MS = 100;
const MAX_GATHER_MS = 1_000;
const GATHER_FACTOR = 6;
/** How long jobs that were claimed ahead may wait for a slot. */
const STALL_MS = 1_000;

/**
 * Measures how fast jobs end and how long exchanges take. From this it derives how many jobs to claim in addition to the
 * free slots (none for jobs that are longer than an exchange), and how long to accumulate results.
 */
export class Throughput {
  private readonly clock: Clock;
  private exchangesWithEnds = 0;
  private endsPerMs = 0;
  /** The duration of the last exchange. */
  private tookMs = 0;
  /** The average time from one exchange to the next. */
  private periodMs = 0;
  private exchangedMs: number;
  private progressMs: number;

  constructor(clock: Clock) {
    this.clock = clock;
    this.exchangedMs = clock.monotonicMs();
    this.progressMs = this.exchangedMs;
  }

  /** Records an exchange, its duration, and the number of ends that it reported. */
  recordExchange(tookMs: number, ends: number): void {
    const nowMs = this.clock.monotonicMs();
    const sinceLastMs = Math.max(1, nowMs - this.exchangedMs);
    this.exchangedMs = nowMs;
    if (ends > 0) this.exchangesWithEnds += 1;
    const weight = Math.max(NEWEST_WEIGHT, 1 / Math.max(1, this.exchangesWithEnds));
    this.endsPerMs += weight * (ends / sinceLastMs - this.endsPerMs);
    this.tookMs = tookMs;
    this.periodMs += weight * (tookMs + this.gatherMs(true) - this.periodMs);
  }

  /**
   * Returns how long results may accumulate after an exchange, in milliseconds. Without claimed jobs left to start, this
   * is the duration of the last exchange, so that other hosts get their share of the lease.
   */
  gatherMs(hasUnstarted: boolean): number {
    if (!hasUnstarted) return Math.min(this.tookMs, MIN_GATHER_MS);
    return Math.min(MAX_GATHER_MS, Math.max(MIN_GATHER_MS, GATHER_FACTOR * this.tookMs));
  }

  /** Records that a job was sent to the runner or has started. */
  recordProgress(): void {
    this.progressMs = this.clock.monotonicMs();
  }

  /** Returns true if nothing has started for so long that jobs claimed ahead should be released; forgets the rate then. */
  resetIfStalled(): boolean {
    if (this.clock.monotonicMs() - this.progressMs <= STALL_MS) return false;
    this.endsPerMs = 0;
    this.recordProgress();
    return true;
  }

  /** Returns how many jobs to claim in addition to the free slots. */
  claimAhead(): number {
    return Math.min(MAX_AHEAD, Math.floor(this.endsPerMs * this.periodMs * AHEAD_FACTOR));
  }
}

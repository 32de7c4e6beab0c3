import type { Clock } from '../job/clock.ts';

/** How much of the past counts: the weight of the newest value in the running averages; more while there is little past. */
const WEIGHT = 0.3;
/** Ahead by a little more than is used up in one exchange, so that no slot waits for the next. */
const MARGIN = 1.5;
const MAX_AHEAD = 512;
/**
 * How long results gather while there is work at hand: longer where an exchange takes long, since many hosts want one. Up
 * to the last of these, a host is at its exchange for a seventh of the time at most.
 */
const GATHER_MS = 100;
const GATHER_TURNS = 6;
const MAX_GATHER_MS = 1_000;
/** For so long jobs that were claimed ahead may wait for a slot. */
const STALLED_MS = 1_000;

/**
 * How fast jobs end here and how long it is from one exchange to the next, and what follows: how many jobs to claim
 * beyond the free slots. For jobs that are longer than an exchange that is none.
 */
export class Pace {
  private readonly clock: Clock;
  private exchanges = 0;
  private jobsPerMs = 0;
  private tookMs = 0;
  private periodMs = 0;
  private lastMs: number;
  private movedMs: number;

  constructor(clock: Clock) {
    this.clock = clock;
    this.lastMs = clock.monotonicMs();
    this.movedMs = this.lastMs;
  }

  /** An exchange was made that took so long and reported so many ends. */
  exchanged(tookMs: number, ends: number): void {
    const nowMs = this.clock.monotonicMs();
    const periodMs = Math.max(1, nowMs - this.lastMs);
    this.lastMs = nowMs;
    if (ends > 0) this.exchanges += 1;
    const weight = Math.max(WEIGHT, 1 / Math.max(1, this.exchanges));
    this.jobsPerMs += weight * (ends / periodMs - this.jobsPerMs);
    this.tookMs = tookMs;
    this.periodMs += weight * (tookMs + this.gatherMs(true) - this.periodMs);
  }

  /**
   * How long after an exchange the next may wait, in milliseconds: while claimed jobs are at hand, results gather; without,
   * as long as the last one took, so that other hosts get their turn.
   */
  gatherMs(isWorkAtHand: boolean): number {
    if (!isWorkAtHand) return Math.min(this.tookMs, GATHER_MS);
    return Math.min(MAX_GATHER_MS, Math.max(GATHER_MS, GATHER_TURNS * this.tookMs));
  }

  /** A job was given to the runner, or began. */
  moved(): void {
    this.movedMs = this.clock.monotonicMs();
  }

  /** Whether nothing has moved for so long that what was claimed ahead is better given back; nothing is ahead then. */
  hasStalled(): boolean {
    if (this.clock.monotonicMs() - this.movedMs <= STALLED_MS) return false;
    this.jobsPerMs = 0;
    this.moved();
    return true;
  }

  /** How many jobs more than slots are free are worth a claim. */
  ahead(): number {
    return Math.min(MAX_AHEAD, Math.floor(this.jobsPerMs * this.periodMs * MARGIN));
  }
}

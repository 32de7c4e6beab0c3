import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Activity } from '../job/activity.ts';
import type { Clock } from '../job/clock.ts';
import { errorCode, RqError } from '../job/errors.ts';
import { freeGeneration, readGenerations } from './generations.ts';
import type { LocalHolder } from './local-holder.ts';

/** The time-limited, exclusive right to write. */
export interface Lease {
  readonly generation: number;
  /** Whether the generation is still the highest and was refreshed within half its stale time. Reads the directory. */
  isOwned(): boolean;
  /** Gives a sign of life if the last one is old, for work that blocks the event loop. Throws BUSY if the lease is lost. */
  refresh(): void;
  /** Releases the lease; has no effect if another process broke it. */
  release(): void;
}

interface LeaseFacts {
  readonly directory: string;
  readonly generation: number;
  /** When the generation was created, by the monotonic clock. */
  readonly refreshedMs: number;
  readonly staleMs: number;
  readonly clock: Clock;
  readonly activity: Activity;
  readonly local: LocalHolder;
  /** Called after the release. */
  readonly onReleased: () => void;
}

export class HeldLease implements Lease {
  readonly generation: number;
  private readonly path: string;
  /** When it was created or refreshed last, by the monotonic clock. */
  private refreshedMs: number;
  private readonly timer: NodeJS.Timeout;
  private isReleased = false;

  constructor(private readonly facts: LeaseFacts) {
    this.generation = facts.generation;
    this.path = join(facts.directory, `lease.${facts.generation}`);
    this.refreshedMs = facts.refreshedMs;
    this.timer = setInterval(() => this.refreshByTimer(), facts.staleMs / 3).unref();
  }

  isOwned(): boolean {
    return !this.isExpired() && this.isHighest();
  }

  refresh(): void {
    const { directory, staleMs } = this.facts;
    if (this.ageMs() < staleMs / 6) return;
    // Another process may have broken an expired lease. A refresh would only hide that.
    if (this.isExpired()) throw new RqError('BUSY', `the lease of ${directory} expired`);
    try {
      this.touch();
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      throw new RqError('BUSY', `the lease of ${directory} was broken`, { cause: error });
    }
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    clearInterval(this.timer);
    const { directory, generation, activity, local, onReleased } = this.facts;
    try {
      activity.during(`releasing the lease of ${directory}`, () => freeGeneration(directory, generation));
      local.erase(generation);
    } catch (error) {
      // The work under the lease is done. Others break a lease that could not be released after its stale time.
      if (errorCode(error) === undefined) throw error;
    } finally {
      onReleased();
    }
  }

  private refreshByTimer(): void {
    try {
      if (!this.isExpired() || this.isHighest()) this.touch();
      else clearInterval(this.timer);
    } catch (error) {
      // The ownership check detects a lease that was not refreshed.
      if (errorCode(error) === undefined) throw error;
    }
  }

  private touch(): void {
    const now = new Date();
    utimesSync(this.path, now, now);
    this.refreshedMs = this.facts.clock.monotonicMs();
  }

  private isHighest(): boolean {
    const { directory, activity } = this.facts;
    const read = (): boolean => {
      const { highest, isFree } = readGenerations(directory);
      return highest === this.generation && !isFree;
    };
    return activity.during(`reading the directory ${directory}`, read);
  }

  private isExpired(): boolean {
    return this.ageMs() > this.facts.staleMs / 2;
  }

  private ageMs(): number {
    return this.facts.clock.monotonicMs() - this.refreshedMs;
  }
}

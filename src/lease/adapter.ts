import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import {
  freeGeneration,
  type Generations,
  makeGeneration,
  readGenerations,
  signOfLife,
  sweepGenerations,
} from './generations.ts';
import { LocalHolder } from './local-holder.ts';
import { releaseAtSignal } from './release-at-signal.ts';

type Callback<T = void> = (error: NodeJS.ErrnoException | null, result?: T) => void;

export interface AcquireOptions {
  /** The new generation is to be higher than this one too: the fence of the database is there already. */
  readonly above: number;
  /** The generation that this process released last, if it is likely that nobody has had the lease since. */
  readonly guess: number | undefined;
  /** What is written under the lease looks at a fence and is checked for ownership: an old generation does no harm. */
  readonly isFenced: boolean;
}

const ALIVE_AT_THE_LATEST = new Date(0);

/**
 * The file system that proper-lockfile (4.1) is given: its one lock directory is made to mean generations. Its five
 * calls decide, in this order: `mkdir` acquires, `stat` tells whether the holder lives, `rmdir` by one who does not
 * own the lease announces that the next `mkdir` breaks it, `utimes` refreshes, `rmdir` by the owner releases.
 * The path that the library passes is ignored; everything is about `directory`.
 */
export class GenerationFileSystem {
  /** The generation that is held, undefined before and after. */
  generation: number | undefined;
  /** When it was made or last refreshed, by the monotonic clock, in milliseconds. */
  refreshedMs = 0;
  /** The holder that was seen last, to tell how long it has not moved. */
  seen: { generation: number; sign: string; sinceMs: number } | undefined;
  /** The highest generation that was seen; 0 before the first look. */
  highest = 0;
  private readonly options: AcquireOptions;
  private guess: number | undefined;
  private breaking: number | undefined;
  private mtime = new Date(0);
  private stopListening = (): void => undefined;
  private readonly local: LocalHolder;

  constructor(
    readonly directory: string,
    private readonly staleMs: number,
    private readonly clock: Clock,
    options: AcquireOptions,
  ) {
    this.options = options;
    this.guess = options.guess;
    this.local = new LocalHolder(directory);
  }

  /** The holder that was seen last, for people. */
  get holder(): string | undefined {
    if (this.seen === undefined) return undefined;
    const { generation } = this.seen;
    const local = this.local.of(generation);
    return local === undefined ? `lease.${generation}` : `lease.${generation}, by process ${local.pid} of this host,`;
  }

  readonly mkdir = (_path: string, callback: Callback): void => {
    settle(callback, () => {
      this.local.prepare();
      const before = this.lookBefore();
      const isBroken = this.breaking === before.highest;
      this.breaking = undefined;
      if (!before.isFree && !isBroken) throw held(before.highest);
      // Before it is there: between the two a signal would leave it behind.
      this.stopListening = releaseAtSignal(this.rmdirSync);
      try {
        this.make(before);
      } finally {
        if (this.generation === undefined) this.stopListening();
      }
    });
  };

  readonly stat = (_path: string, callback: Callback<{ mtime: Date }>): void => {
    settle(callback, () => {
      if (this.generation !== undefined) return { mtime: this.mtime };
      return { mtime: this.holderIsStale() ? ALIVE_AT_THE_LATEST : new Date() };
    });
  };

  readonly utimes = (_path: string, _atime: Date, mtime: Date, callback: Callback): void => {
    settle(callback, () => {
      // The library's first call only probes the precision of time stamps: nothing to write for that.
      if (this.mtime.getTime() !== 0) this.refresh();
      this.mtime = mtime;
    });
  };

  readonly rmdir = (_path: string, callback: Callback): void => {
    settle(callback, () => {
      if (this.generation === undefined) this.breaking = this.seen?.generation;
      else this.rmdirSync();
    });
  };

  /** Releases what is held; the library calls it when the process exits. */
  readonly rmdirSync = (): void => {
    const { generation } = this;
    this.generation = undefined;
    if (generation === undefined) return;
    try {
      freeGeneration(this.directory, generation);
      this.local.erase(generation);
    } finally {
      this.stopListening();
    }
  };

  /** Gives a sign of life; throws ENOENT where the lease was broken and swept. */
  refresh(): void {
    if (this.generation === undefined) return;
    const now = new Date();
    utimesSync(join(this.directory, `lease.${this.generation}`), now, now);
    this.refreshedMs = this.clock.monotonicMs();
  }

  /** The directory, or, once, what it is if nobody else had the lease since this process had it. */
  private lookBefore(): Pick<Generations, 'highest' | 'isFree' | 'older'> {
    const { guess } = this;
    this.guess = undefined;
    return guess === undefined ? this.look() : { highest: guess, isFree: true, older: [] };
  }

  private look(): Generations {
    const generations = readGenerations(this.directory);
    this.highest = Math.max(this.highest, generations.highest);
    return generations;
  }

  private make(before: Pick<Generations, 'highest' | 'older'>): void {
    const generation = Math.max(before.highest, this.options.above) + 1;
    if (!makeGeneration(this.directory, generation)) throw held(generation);
    this.local.note(generation);
    this.refreshedMs = this.clock.monotonicMs();
    if (this.options.isFenced) this.own(generation, [...before.older, `lease.${before.highest}.free`]);
    else this.ownIfHighest(generation);
  }

  /** A slow contender makes a name anew that was held, released and perhaps swept in the meantime. */
  private ownIfHighest(generation: number): void {
    const after = readGenerations(this.directory);
    if (after.highest > generation || after.isFree) {
      sweepGenerations(this.directory, [`lease.${generation}`]);
      throw held(after.highest);
    }
    this.own(generation, after.older);
  }

  private own(generation: number, older: readonly string[]): void {
    this.generation = generation;
    sweepGenerations(this.directory, older);
  }

  /**
   * Stale is whose sign of life this process saw unchanged for the stale time by its own monotonic clock, and at once
   * a process of this machine that is gone.
   */
  private holderIsStale(): boolean {
    const { highest, isFree } = this.look();
    const sign = isFree ? undefined : signOfLife(this.directory, highest);
    if (sign === undefined) {
      this.seen = undefined;
      return false;
    }
    const nowMs = this.clock.monotonicMs();
    if (this.seen?.generation !== highest || this.seen.sign !== sign) {
      this.seen = { generation: highest, sign, sinceMs: nowMs };
    }
    return nowMs - this.seen.sinceMs >= this.staleMs || this.local.of(highest)?.isAlive === false;
  }
}

function held(generation: number): NodeJS.ErrnoException {
  return Object.assign(new Error(`lease.${generation} is held`), { code: 'EEXIST' });
}

function settle<T>(callback: Callback<T>, operation: () => T): void {
  let result: T;
  try {
    result = operation();
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  callback(null, result);
}

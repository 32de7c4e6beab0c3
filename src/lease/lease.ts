import type { Clock } from '../job/clock.ts';
import { errorCode, errorMessage, RqError } from '../job/errors.ts';
import { type LockWait, withLockWait } from '../job/waits.ts';
import { GenerationFileSystem } from './adapter.ts';
import { forgetDirectory, readGenerations } from './generations.ts';
import { lock } from './release-at-signal.ts';
import { RetryInterval } from './retry-interval.ts';

export const STALE_MS = 30_000;

export interface LeaseOptions {
  readonly clock: Clock;
  /** How long to wait for it, in milliseconds. */
  readonly timeoutMs: number;
  /** A holder without a sign of life for so long is taken for dead, in milliseconds; 2,000 or more. */
  readonly staleMs?: number;
  /** See `AcquireOptions`; by default nothing is guessed, and there is no fence. */
  readonly above?: number;
  readonly guess?: number | undefined;
  readonly isFenced?: boolean;
}

/** The time-limited, exclusive right to write. */
export interface Lease {
  readonly generation: number;
  /** True if the generation is still the highest and was refreshed within half its time. Reads the directory. */
  isOwned(): boolean;
  /** Gives a sign of life if the last is old; for work that keeps the event loop busy. Throws if the lease is lost. */
  refresh(): void;
  /** Releases it; harmless where it was broken meanwhile. */
  release(): Promise<void>;
}

/** How long a waiter may believe what a client of NFS version 3 remembers of the directory. */
const FORGET_MS = 1_000;

/**
 * Acquires the lease of a directory. The retries are ours, not the library's: that would also retry what waiting does
 * not mend (EACCES, EROFS). Throws BUSY after the timeout, NO_QUEUE, NOT_ALLOWED, NO_SPACE or IO.
 */
export async function acquireLease(directory: string, options: LeaseOptions): Promise<Lease> {
  return await withLockWait((wait) => acquire(directory, options, wait));
}

async function acquire(directory: string, options: LeaseOptions, wait: LockWait): Promise<Lease> {
  const { clock, timeoutMs, staleMs = STALE_MS } = options;
  const startMs = clock.monotonicMs();
  const { above = 0, guess, isFenced = false } = options;
  const files = new GenerationFileSystem(directory, staleMs, clock, { above, guess, isFenced });
  let forgotMs = startMs;
  const interval = new RetryInterval(clock);
  for (;;) {
    let releaseLock: (() => Promise<void>) | undefined;
    try {
      releaseLock = await lock(directory, {
        fs: files,
        lockfilePath: `${directory}/lease`,
        realpath: false,
        retries: 0,
        stale: staleMs,
        update: staleMs / 3,
        // The ownership check finds it out; the library's default throws from a timer.
        onCompromised: () => undefined,
      });
    } catch (error) {
      if (!isPassing(error)) throw leaseError(directory, error);
      const waitedMs = clock.monotonicMs() - startMs;
      if (waitedMs >= timeoutMs) throw busy(files, waitedMs, error);
      wait.say(`the lease of ${directory}: ${heldBy(files)}`);
    }
    if (releaseLock !== undefined) return new HeldLease(files, staleMs, clock, releaseLock);
    if (clock.monotonicMs() - forgotMs >= FORGET_MS) {
      forgotMs = clock.monotonicMs();
      forgetDirectory(directory);
    }
    await clock.sleep(interval.next(files.highest));
  }
}

class HeldLease implements Lease {
  readonly generation: number;

  constructor(
    private readonly files: GenerationFileSystem,
    private readonly staleMs: number,
    private readonly clock: Clock,
    private readonly releaseLock: () => Promise<void>,
  ) {
    this.generation = files.generation ?? 0;
  }

  isOwned(): boolean {
    if (this.clock.monotonicMs() - this.files.refreshedMs > this.staleMs / 2) return false;
    const { highest, isFree } = readGenerations(this.files.directory);
    return highest === this.generation && !isFree;
  }

  refresh(): void {
    const ageMs = this.clock.monotonicMs() - this.files.refreshedMs;
    if (ageMs < this.staleMs / 6) return;
    // One that slept past its time may have been broken: to refresh it then would only hide that.
    if (ageMs > this.staleMs / 2) throw new RqError('BUSY', `the lease of ${this.files.directory} ran out`);
    try {
      this.files.refresh();
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      throw new RqError('BUSY', `the lease of ${this.files.directory} was broken`, { cause: error });
    }
  }

  async release(): Promise<void> {
    try {
      await this.releaseLock();
    } catch (error) {
      const code = errorCode(error);
      // Compromised: the library has forgotten it, and so may the directory have.
      if (code === undefined) throw error;
      // What was done under the lease is done; one that could not be released is broken by others in its time.
      if (code === 'ERELEASED' || code === 'ENOTACQUIRED') this.forget();
    }
  }

  private forget(): void {
    try {
      this.files.rmdirSync();
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
    }
  }
}

/** Whether waiting helps: another holds it, or the share does not answer well just now. */
function isPassing(error: unknown): boolean {
  return ['ELOCKED', 'EEXIST', 'EIO', 'ESTALE', 'ETIMEDOUT', 'EAGAIN', 'EINTR'].includes(errorCode(error) ?? '');
}

function busy(files: GenerationFileSystem, waitedMs: number, cause: unknown): RqError {
  const seconds = (waitedMs / 1000).toFixed(1);
  return new RqError(
    'BUSY',
    `cannot get the lease of ${files.directory} within ${seconds} s: ${heldBy(files)}; try again, or wait longer with --lock-timeout`,
    { cause },
  );
}

function heldBy({ holder }: GenerationFileSystem): string {
  return holder === undefined ? 'others were faster each time' : `${holder} is held`;
}

function leaseError(directory: string, error: unknown): RqError {
  const attempted = `cannot get the lease of ${directory}`;
  const details = { cause: error, facts: { directory } };
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new RqError('NO_QUEUE', `${attempted}: there is no such directory`, details);
    case 'EACCES':
    case 'EPERM':
      return new RqError('NOT_ALLOWED', `${attempted}: you may not write there; ask its owner`, details);
    case 'EROFS':
      return new RqError('NOT_ALLOWED', `${attempted}: it is mounted read-only`, details);
    case 'ENOSPC':
    case 'EDQUOT':
      return new RqError('NO_SPACE', `${attempted}: the disk or your quota is full; make room and try again`, details);
    default:
      return new RqError('IO', `${attempted}: ${errorMessage(error)}`, details);
  }
}

import { Activity, type OpenWait } from '../job/activity.ts';
import type { Clock } from '../job/clock.ts';
import { ownUmask } from '../job/process.ts';
import {
  type Generations,
  makeGeneration,
  readGenerations,
  revalidateDirectory,
  signOfLife,
  sweepGenerations,
} from './generations.ts';
import { HeldLease, type Lease } from './lease.ts';
import { busyError, isTransient, leaseError } from './lease-errors.ts';
import { LeaseHistory } from './lease-history.ts';
import { LocalHolder } from './local-holder.ts';
import type { Owner } from './owner.ts';
import { ReleaseAtSignal } from './release-at-signal.ts';
import { RetryInterval } from './retry-interval.ts';

export const STALE_MS = 30_000;
const GROUP_READS = 0o050;

/** How long a waiting NFS client of version 3 may rely on its cache of the directory. */
const REVALIDATE_MS = 1_000;

interface ClientOptions {
  readonly clock: Clock;
  /** A holder that gives no sign of life for this time counts as dead, in milliseconds. */
  readonly staleMs?: number | undefined;
  readonly activity?: Activity;
  /** Whether other users must be able to observe the sign of life. */
  readonly isShared?: boolean;
  /** The user to whom this process, if it is root, gives the lease. */
  readonly owner?: Owner | undefined;
}

interface AcquireOptions {
  /** How long to wait for the lease, in milliseconds. */
  readonly timeoutMs: number;
  /** The new generation is higher than this one: the fence of the database may be ahead of the names. */
  readonly above?: number;
  /**
   * A fence and an ownership check guard what is written under the lease, so that an old generation does no harm. Without
   * them, the directory is read once more after the acquisition.
   */
  readonly isFenced?: boolean;
}

/** The sign of life of a holder, and since when this process has seen it unchanged. */
interface Observation {
  readonly generation: number;
  readonly sign: string;
  readonly sinceMs: number;
}

/** Acquires the lease of one directory, any number of times. */
export class LeaseClient {
  readonly history = new LeaseHistory();
  readonly local: LocalHolder;
  readonly signals = new ReleaseAtSignal();
  readonly clock: Clock;
  readonly staleMs: number;
  readonly activity: Activity;
  readonly isShared: boolean;
  readonly owner: Owner | undefined;

  constructor(
    readonly directory: string,
    options: ClientOptions,
  ) {
    const { clock, staleMs = STALE_MS, activity = new Activity() } = options;
    this.clock = clock;
    this.staleMs = staleMs;
    this.activity = activity;
    this.isShared = options.isShared === true;
    this.owner = options.owner;
    this.local = new LocalHolder(directory);
  }

  /** Throws BUSY after the timeout, NO_QUEUE, NOT_ALLOWED, NO_SPACE or IO. */
  async acquire(options: AcquireOptions): Promise<Lease> {
    return await this.activity.waiting((wait) => new Acquisition(this, options).run(wait));
  }
}

/** One call of `acquire`, with all its tries. */
class Acquisition {
  private highestSeen = 0;
  private observation: Observation | undefined;
  /** The process of this host that held the observed generation at the last try, if any. */
  private localHolder: ReturnType<LocalHolder['of']>;
  /** Used by the first try only. */
  private expected: number | undefined;
  private readonly directory: string;

  constructor(
    private readonly client: LeaseClient,
    private readonly options: AcquireOptions,
  ) {
    this.directory = client.directory;
    this.expected = client.history.expected;
  }

  async run(wait: OpenWait): Promise<Lease> {
    const { clock } = this.client;
    const startMs = clock.monotonicMs();
    let revalidatedMs = startMs;
    const interval = new RetryInterval(clock);
    for (;;) {
      let cause: unknown;
      try {
        if (clock.monotonicMs() - revalidatedMs >= REVALIDATE_MS) {
          revalidatedMs = clock.monotonicMs();
          revalidateDirectory(this.directory);
        }
        const lease = this.tryOnce();
        if (lease !== undefined) return lease;
      } catch (error) {
        if (!isTransient(error)) throw leaseError(this.directory, error);
        cause = error;
      }
      const nowMs = clock.monotonicMs();
      const holder = this.describeHolder();
      if (nowMs - startMs >= this.options.timeoutMs) throw busyError(this.directory, nowMs - startMs, holder, cause);
      wait.for(`the lease of ${this.directory}: ${holder}`);
      await clock.sleep(interval.next(this.highestSeen));
    }
  }

  /** Undefined if another process holds the lease, or was faster. */
  private tryOnce(): Lease | undefined {
    const { local, signals } = this.client;
    local.prepare();
    const { expected } = this;
    this.expected = undefined;
    const before = expected === undefined ? this.read() : { highest: expected, isFree: true, older: [] };
    if (!before.isFree && !this.isStale(before.highest)) return undefined;
    let lease: Lease | undefined;
    // A signal between the creation of the name and the start of listening would leave the name behind.
    const stopListening = signals.listen(() => lease?.release());
    try {
      lease = this.make(before, stopListening);
      return lease;
    } finally {
      if (lease === undefined) stopListening();
    }
  }

  private make(before: Pick<Generations, 'highest' | 'older'>, onReleased: () => void): Lease | undefined {
    const { directory, client, options } = this;
    const { local, staleMs, clock, activity, history } = client;
    const generation = Math.max(before.highest, options.above ?? 0) + 1;
    // Other members of the group need access for `signOfLife`. The umask of a feeder changes after it opened the queue.
    const isHiddenFromGroup = client.isShared && (ownUmask() & GROUP_READS) !== 0;
    const make = (): boolean => makeGeneration(directory, generation, isHiddenFromGroup, client.owner);
    if (!activity.during(`acquiring the lease of ${directory}`, make)) return undefined;
    local.note(generation);
    const refreshedMs = clock.monotonicMs();
    const isFenced = options.isFenced === true;
    const older = isFenced ? [...before.older, `lease.${before.highest}.free`] : this.confirm(generation);
    if (older === undefined) return undefined;
    const lease = new HeldLease({ directory, generation, refreshedMs, staleMs, clock, activity, local, onReleased });
    try {
      sweepGenerations(directory, older);
    } catch (error) {
      lease.release();
      throw error;
    }
    history.acquired(generation);
    return lease;
  }

  /**
   * Reads the directory again, because a slow contender can create a name that was held, released and removed in the
   * meantime. Removes such a name. Otherwise gives the names of older generations.
   */
  private confirm(generation: number): readonly string[] | undefined {
    const { highest, isFree, older } = this.read();
    if (highest === generation && !isFree) return older;
    sweepGenerations(this.directory, [`lease.${generation}`]);
    return undefined;
  }

  private read(): Generations {
    const { directory } = this;
    const read = (): Generations => readGenerations(directory);
    const generations = this.client.activity.during(`reading the directory ${directory}`, read);
    this.highestSeen = Math.max(this.highestSeen, generations.highest);
    return generations;
  }

  /**
   * A holder is stale if this process has seen its sign of life unchanged for the stale time, by its own monotonic clock.
   * A process of this host that is gone is stale at once.
   */
  private isStale(generation: number): boolean {
    const { clock, staleMs, local } = this.client;
    const sign = signOfLife(this.directory, generation);
    if (sign === undefined) {
      this.observation = undefined;
      return false;
    }
    const nowMs = clock.monotonicMs();
    if (this.observation?.generation !== generation || this.observation.sign !== sign) {
      this.observation = { generation, sign, sinceMs: nowMs };
    }
    this.localHolder = local.of(generation);
    return nowMs - this.observation.sinceMs >= staleMs || this.localHolder?.isAlive === false;
  }

  private describeHolder(): string {
    if (this.observation === undefined) return 'other processes acquired the lease first each time';
    const { localHolder } = this;
    const by = localHolder === undefined ? '' : ` by process ${localHolder.pid} on this host`;
    return `lease.${this.observation.generation} is held${by}`;
  }
}

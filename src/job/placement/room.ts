import type { Resources } from './needs.ts';
import { mayBeAhead, type Shape } from './shape.ts';

/** What is free on a host. */
export interface HostRoom {
  readonly cpus: number;
  /** How many jobs of one cpu it may claim in addition. */
  readonly ahead: number;
  /** In bytes; null if the host does not know. */
  readonly memory: number | null;
  readonly gpus: number;
  readonly resources: Resources;
  /** The capacity of the idle host. If absent, the host makes no reservations. */
  readonly total?: Omit<HostRoom, 'ahead' | 'total'>;
}

/** What runs in the whole cluster. */
export interface Usage {
  readonly lanes: Map<string, number>;
  /** By the jid of the first task. */
  readonly arrays: Map<number, number>;
  readonly owners: Map<string, { jobs: number; cpus: number }>;
}

/** The limits of a queue, and what counts towards them. Each is read when the first shape needs it. */
export interface Limits {
  /** How many jobs of one owner may run at the same time; null is any number. */
  readonly maxPerUser: number | null;
  /** At equal priority, the owner with the fewest running cpus goes first. */
  readonly isFair: boolean;
  readonly usage: () => Usage;
  readonly isPaused: (lane: string) => boolean;
  /** How many jobs of a lane may run at the same time; null is any number. Asked only for lanes in which jobs run. */
  readonly maxOf: (lane: string) => number | null;
  readonly isStopped: (array: number) => boolean;
}

/** What prevents a job of a shape from starting on a host now. */
export type Obstacle =
  | { readonly kind: 'host' }
  | { readonly kind: 'cpus' | 'memory' | 'gpus'; readonly free: number }
  | { readonly kind: 'resource'; readonly name: string; readonly free: number }
  | { readonly kind: 'lane paused'; readonly lane: string }
  | { readonly kind: 'lane full'; readonly lane: string; readonly max: number; readonly running: number }
  | { readonly kind: 'array full'; readonly array: number; readonly max: number; readonly running: number }
  | { readonly kind: 'array stopped'; readonly array: number }
  | { readonly kind: 'owner full'; readonly max: number; readonly running: number };

/** Decides which jobs fit a host and the limits of the queue, while jobs are taken one after the other. */
export class Room {
  private cpus: number;
  private ahead: number;
  private memory: number | null;
  private gpus: number;
  private readonly resources: Record<string, number>;

  constructor(
    private readonly host: HostRoom,
    private readonly mayRun: (runners: string) => boolean,
    private readonly limits: Limits,
  ) {
    this.cpus = host.cpus;
    this.ahead = host.ahead;
    this.memory = host.memory;
    this.gpus = host.gpus;
    this.resources = { ...host.resources };
  }

  /** The first condition that prevents a job of the shape from starting here; undefined if it fits. */
  obstacle(shape: Shape): Obstacle | undefined {
    if (shape.runners !== null && !this.mayRun(shape.runners)) return { kind: 'host' };
    return this.hostObstacle(shape) ?? this.queueObstacle(shape);
  }

  /** Counts a job that the host takes. */
  take(shape: Shape): void {
    const { cpus, memory, gpus, needs, lanes, array, owner } = shape;
    // A job that is claimed ahead takes the place of one that runs.
    if (this.cpus < cpus) this.ahead -= 1;
    else this.cpus -= cpus;
    if (this.memory !== null) this.memory -= memory;
    this.gpus -= gpus;
    for (const [name, count] of Object.entries(needs)) this.resources[name] = (this.resources[name] ?? 0) - count;
    if (!this.isLimited(shape)) return;
    const usage = this.limits.usage();
    for (const lane of lanes) usage.lanes.set(lane, (usage.lanes.get(lane) ?? 0) + 1);
    if (array !== null) usage.arrays.set(array.jid, (usage.arrays.get(array.jid) ?? 0) + 1);
    const { jobs, cpus: running } = usage.owners.get(owner) ?? { jobs: 0, cpus: 0 };
    usage.owners.set(owner, { jobs: jobs + 1, cpus: running + cpus });
  }

  /** Whether a job of the shape fits the host if nothing else runs there. */
  fitsEmptyHost({ cpus, memory, gpus, needs }: Shape): boolean {
    const { total } = this.host;
    if (total === undefined || cpus > total.cpus || gpus > total.gpus) return false;
    if (total.memory !== null && memory > total.memory) return false;
    return Object.entries(needs).every(([name, count]) => count <= (total.resources[name] ?? 0));
  }

  /** Whether the lane has more than one free place. */
  hasSparePlace(lane: string): boolean {
    const max = this.limits.maxOf(lane);
    return max === null || (this.limits.usage().lanes.get(lane) ?? 0) < max - 1;
  }

  /** The cpus that the jobs of an owner take in the whole cluster, if the queue is fair; otherwise 0. */
  share(owner: string): number {
    return this.limits.isFair ? (this.limits.usage().owners.get(owner)?.cpus ?? 0) : 0;
  }

  private hostObstacle(shape: Shape): Obstacle | undefined {
    const { cpus, memory, gpus, needs } = shape;
    const isAhead = this.limits.maxPerUser === null && mayBeAhead(shape);
    if (cpus > this.cpus && !(isAhead && this.ahead > 0)) return { kind: 'cpus', free: this.cpus };
    if (this.memory !== null && memory > this.memory) return { kind: 'memory', free: this.memory };
    if (gpus > this.gpus) return { kind: 'gpus', free: this.gpus };
    for (const [name, count] of Object.entries(needs)) {
      const free = this.resources[name] ?? 0;
      if (count > free) return { kind: 'resource', name, free };
    }
    return undefined;
  }

  private queueObstacle(shape: Shape): Obstacle | undefined {
    const { limits } = this;
    const { array, lanes, owner } = shape;
    for (const lane of lanes) {
      if (limits.isPaused(lane)) return { kind: 'lane paused', lane };
      const running = limits.usage().lanes.get(lane) ?? 0;
      const max = running === 0 ? null : limits.maxOf(lane);
      if (max !== null && running >= max) return { kind: 'lane full', lane, max, running };
    }
    if (array !== null) {
      if (array.canStop && limits.isStopped(array.jid)) return { kind: 'array stopped', array: array.jid };
      const running = array.atMost === null ? 0 : (limits.usage().arrays.get(array.jid) ?? 0);
      if (array.atMost !== null && running >= array.atMost) {
        return { kind: 'array full', array: array.jid, max: array.atMost, running };
      }
    }
    const max = limits.maxPerUser;
    const running = max === null ? 0 : (limits.usage().owners.get(owner)?.jobs ?? 0);
    return max !== null && running >= max ? { kind: 'owner full', max, running } : undefined;
  }

  private isLimited({ lanes, array }: Shape): boolean {
    return lanes.length > 0 || array !== null || this.limits.maxPerUser !== null || this.limits.isFair;
  }
}

import { type HostRoom, type Limits, type Obstacle, Room, type Usage } from '../../job/placement/room.ts';
import type { Shape } from '../../job/placement/shape.ts';
import type { Turn } from '../../job/placement/why/facts.ts';
import type { Connection } from '../connection.ts';
import type { MayRun } from './claims.ts';
import { limitsIn, type PlacementRules } from './limits.ts';
import type { ReservationPolicy } from './ready-jobs.ts';
import { Reservations } from './reservations.ts';
import { type UnreadyJob, unreadyJobs } from './unready-jobs.ts';
import { UpcomingJobs } from './upcoming-jobs.ts';

/** Jobs that go first are counted up to this number. */
const MAX_BEFORE = 1_000;

/** A host that claims, and whether it could run a shape if it had no other jobs. */
export interface Claimer {
  readonly host: string;
  readonly room: HostRoom;
  readonly mayRun: MayRun;
  readonly fits: (shape: Shape) => boolean;
  /** Hosts with the same text may run the same shapes. */
  readonly kind: string;
}

/** The next claim of a host. */
interface Claim {
  readonly jids: ReadonlySet<number>;
  /** What is left afterwards. */
  readonly room: Room;
  /** The job for which the host keeps places free. */
  readonly keptFor: number | undefined;
}

/** The order of jobs on one kind of hosts. */
interface Order {
  readonly places: ReadonlyMap<number, number>;
  /** There are more jobs than these. */
  readonly isCut: boolean;
}

/**
 * Predicts the claims of hosts, without making them. Each host is considered alone. Use it inside one transaction.
 */
export class ClaimForecast {
  private readonly claims = new Map<string, Claim>();
  private readonly orders = new Map<string, Order>();
  private readonly limits: Limits;
  private readonly unready: readonly UnreadyJob[];

  constructor(
    private readonly connection: Connection,
    private readonly times: { readonly now: string; readonly serverNow: string },
    private readonly rules: PlacementRules,
  ) {
    this.limits = limitsIn(connection, rules);
    this.unready = unreadyJobs(connection, times.serverNow);
  }

  /** The place of a job of a shape in the order of claims on a host. */
  turnOf(jid: number, shape: Shape, claimer: Claimer): Turn {
    const { jids, room, keptFor } = this.claimOf(claimer);
    const { places, isCut } = this.orderOf(claimer);
    const place = places.get(jid);
    const isKept = !jids.has(jid) && keptFor !== jid && room.obstacle(shape) === undefined;
    return {
      isNext: jids.has(jid),
      keptFor: isKept ? keptFor : undefined,
      before: place ?? (isCut ? MAX_BEFORE : undefined),
      isMore: place === undefined && isCut,
    };
  }

  /** What the host would claim now. */
  private claimOf(claimer: Claimer): Claim {
    const known = this.claims.get(claimer.host);
    if (known !== undefined) return known;
    const { room: free, host, mayRun } = claimer;
    const room = new Room(free, mayRun, this.ownLimits());
    const { reserveAfterS } = this.rules;
    const reservations = new Reservations(this.connection, {
      host,
      now: this.times.serverNow,
      free,
      room,
      reserveAfterS,
    });
    const limit = Math.floor(free.cpus + free.ahead);
    const jids = limit < 1 ? [] : this.take({ free: room, room, reserving: reservations, host, limit });
    const claim = { jids: new Set(jids), room, keptFor: reservations.keptFor };
    this.claims.set(host, claim);
    return claim;
  }

  /** The order in which the host would claim if it were always free. */
  private orderOf(claimer: Claimer): Order {
    const known = this.orders.get(claimer.kind);
    if (known !== undefined) return known;
    const room = new Room(UNLIMITED, claimer.mayRun, this.ownLimits());
    const fitting = {
      obstacle: (shape: Shape): Obstacle | undefined => {
        return claimer.fits(shape) ? room.obstacle({ ...shape, needs: {} }) : { kind: 'host' };
      },
      share: (owner: string): number => room.share(owner),
    };
    const jids = this.take({ free: fitting, room, reserving: NO_RESERVATIONS, host: undefined, limit: MAX_BEFORE + 1 });
    const places = new Map(jids.slice(0, MAX_BEFORE).map((jid, index) => [jid, index]));
    const order = { places, isCut: jids.length > MAX_BEFORE };
    this.orders.set(claimer.kind, order);
    return order;
  }

  /** Simulates a claim. With `host`, jobs that this host skips after failed starts are left out. */
  private take({ free, room, reserving, host, limit }: Taking): number[] {
    const seeker = { until: `$."${host ?? ''}".until`, now: this.times.now };
    const isSkipped = ({ failures }: UnreadyJob): boolean => {
      return host !== undefined && (failures[host]?.until ?? '') > this.times.now;
    };
    const ready = [this.connection, seeker, free, this.rules.isFair, reserving] as const;
    const jobs = new UpcomingJobs(this.unready, isSkipped, ...ready);
    const taken: number[] = [];
    while (taken.length < limit) {
      const next = jobs.next();
      if (next === undefined) break;
      taken.push(next.jid);
      room.take(next.shape);
    }
    return taken;
  }

  /** The limits with usage of its own, which a claim changes. */
  private ownLimits(): Limits {
    let usage: Usage | undefined;
    return {
      ...this.limits,
      usage: () => {
        usage ??= copyOf(this.limits.usage());
        return usage;
      },
    };
  }
}

/** What decides which jobs are taken. */
interface Taking {
  readonly free: Pick<Room, 'obstacle' | 'share'>;
  readonly room: Room;
  readonly reserving: ReservationPolicy;
  readonly host: string | undefined;
  readonly limit: number;
}

const NO_RESERVATIONS: ReservationPolicy = { note: () => undefined, permits: () => true, maxSeconds: undefined };

const UNLIMITED: HostRoom = {
  cpus: Number.POSITIVE_INFINITY,
  ahead: 0,
  memory: null,
  gpus: Number.POSITIVE_INFINITY,
  resources: {},
};

function copyOf({ lanes, arrays, owners }: Usage): Usage {
  return { lanes: new Map(lanes), arrays: new Map(arrays), owners: new Map(owners) };
}

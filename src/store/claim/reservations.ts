import { expectedWaitS, type Holder } from '../../job/placement/expected-start.ts';
import type { HostRoom, Obstacle, Room } from '../../job/placement/room.ts';
import type { Shape } from '../../job/placement/shape.ts';
import type { Connection } from '../connection.ts';
import { type Place, precedes, type ReadyJob, type ReservationPolicy } from './ready-jobs.ts';
import { shapeFrom } from './shapes.ts';

const ALL = 'SELECT jid, passed, host, since FROM reservations';
const ADD = 'INSERT OR IGNORE INTO reservations (jid, passed) VALUES (:jid, :now)';
const RESERVE = 'UPDATE reservations SET host = :host, since = :now WHERE jid = :jid';
const REMOVE = 'DELETE FROM reservations WHERE jid = ?';
const RUNNING = `SELECT spec, time_limit, started FROM jobs INDEXED BY jobs_running JOIN shapes USING (shape)
  WHERE state = 'running' AND runner = ?`;
const TIME_LIMIT = 'SELECT time_limit FROM jobs WHERE jid = ?';

/** A reservation moves to another host after this time. */
const MOVES_AFTER_S = 3_600;

interface Reservation {
  readonly jid: number;
  readonly passed: string;
  readonly host: string | null;
  readonly since: string | null;
}

interface Passed extends Place {
  readonly shape: Shape;
  readonly isLane: boolean;
}

/**
 * The reservations of one claim. A job that needs several places at once would wait forever while jobs that need one take
 * each place that becomes free.
 */
export class Reservations implements ReservationPolicy {
  private readonly passed: Passed[] = [];
  private rows: ReadonlyMap<number, Reservation> | undefined;
  private reserved: Passed | undefined;
  private isDecided = false;
  private waitSeconds: number | undefined;
  private hasOvertaken = false;

  constructor(
    private readonly connection: Connection,
    private readonly claim: {
      readonly host: string;
      readonly now: string;
      readonly free: HostRoom;
      readonly room: Room;
      readonly reserveAfterS: number | null;
    },
  ) {}

  note(shape: Shape, obstacle: Obstacle, first: () => Place | undefined): void {
    const isLane = obstacle.kind === 'lane full' && shape.lanes.length > 1;
    const isSize = ['cpus', 'memory', 'gpus', 'resource'].includes(obstacle.kind) && needsSeveralPlaces(shape);
    if (this.claim.reserveAfterS === null || !(isLane || (isSize && this.claim.room.fitsEmptyHost(shape)))) return;
    const job = first();
    if (job === undefined) return;
    this.passed.push({ ...job, shape, isLane });
    this.isDecided = false;
  }

  permits(job: ReadyJob): boolean {
    const { passed } = this;
    if (passed.length === 0) return true;
    const reserved = this.decide();
    if (reserved === undefined || precedes(job, reserved)) {
      this.hasOvertaken ||= passed.some((each) => precedes(each, job));
      return true;
    }
    return reserved.isLane ? this.leavesLanes(job, reserved) : this.isShort(job);
  }

  get maxSeconds(): number | undefined {
    const reserved = this.decide();
    if (reserved === undefined || reserved.isLane) return undefined;
    this.waitSeconds ??= this.waitS(reserved.shape);
    return this.waitSeconds;
  }

  /** The job for which places are kept free; undefined if there is none so far. */
  get keptFor(): number | undefined {
    return this.reserved?.jid;
  }

  /** Records the first job that was passed over, and the reservation of this host. */
  record(): void {
    const { host, now } = this.claim;
    const [first] = this.inOrder().filter(({ jid }) => !this.reservations().has(jid));
    if (first !== undefined && this.hasOvertaken) this.connection.run(ADD, { jid: first.jid, now });
    if (this.reserved === undefined) return;
    const { jid, isLane } = this.reserved;
    const row = this.reservations().get(jid);
    const isNew = row?.since === null || (!isLane && row?.host !== host);
    if (isNew) this.connection.run(RESERVE, { jid, host: isLane ? null : host, now });
  }

  /** The job for which this host keeps places free: that of its reservation, or else the first that has waited long enough. */
  private decide(): Passed | undefined {
    if (this.isDecided) return this.reserved;
    const { host } = this.claim;
    const known = this.inOrder().filter(({ jid }) => this.reservations().has(jid));
    const rowOf = ({ jid }: Passed): Reservation | undefined => this.reservations().get(jid);
    const own = known.find((job) => rowOf(job)?.host === host && !this.isOlderThan(rowOf(job)?.since, MOVES_AFTER_S));
    this.reserved = own ?? known.find((job) => this.mayReserve(job, rowOf(job)));
    this.waitSeconds = undefined;
    this.isDecided = true;
    return this.reserved;
  }

  private mayReserve({ isLane }: Passed, row: Reservation | undefined): boolean {
    if (row === undefined) return false;
    if (isLane && row.since !== null) return true;
    const isFree = row.host === null || this.isOlderThan(row.since, MOVES_AFTER_S);
    return isFree && this.isOlderThan(row.passed, this.claim.reserveAfterS ?? 0);
  }

  private isOlderThan(time: string | null | undefined, seconds: number): boolean {
    return typeof time === 'string' && Date.parse(this.claim.now) - Date.parse(time) >= seconds * 1000;
  }

  private leavesLanes(job: ReadyJob, { shape }: Passed): boolean {
    return job.shape.lanes.every((lane) => !shape.lanes.includes(lane) || this.claim.room.hasSparePlace(lane));
  }

  /** Whether the job ends by its time limit before the reserved job is expected to start. */
  private isShort({ jid }: ReadyJob): boolean {
    const limit = this.connection.get(TIME_LIMIT, [jid])?.['time_limit'];
    return typeof limit === 'number' && limit <= (this.maxSeconds ?? 0);
  }

  private waitS(shape: Shape): number {
    const { cpus, memory, gpus, resources } = this.claim.free;
    const free = { cpus, memory: memory ?? Number.POSITIVE_INFINITY, gpus, needs: resources };
    return expectedWaitS(shape, free, this.holders());
  }

  private holders(): Holder[] {
    const nowMs = Date.parse(this.claim.now);
    return this.connection.all(RUNNING, [this.claim.host]).map(({ spec, time_limit, started }) => ({
      ...shapeFrom(this.connection, String(spec)),
      elapsedS: Math.max(0, nowMs - Date.parse(String(started))) / 1000,
      timeLimitS: typeof time_limit === 'number' ? time_limit : null,
    }));
  }

  private inOrder(): Passed[] {
    return this.passed.sort((a, b) => (precedes(a, b) ? -1 : 1));
  }

  private reservations(): ReadonlyMap<number, Reservation> {
    if (this.rows === undefined) {
      const rows = this.connection.all(ALL) as unknown as Reservation[];
      this.rows = new Map(rows.map((row) => [row.jid, row]));
    }
    return this.rows;
  }
}

/** Removes the reservation of a job that is claimed. */
export function removeReservation(connection: Connection, jid: number, shape: Shape): void {
  if (needsSeveralPlaces(shape)) connection.run(REMOVE, [jid]);
}

/** Only a job that takes several places at once can be overtaken by smaller ones. */
function needsSeveralPlaces({ cpus, memory, gpus, needs, lanes }: Shape): boolean {
  return cpus > 1 || memory > 0 || gpus > 0 || Object.keys(needs).length > 0 || lanes.length > 1;
}

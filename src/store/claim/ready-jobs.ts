import type { Obstacle, Room } from '../../job/placement/room.ts';
import type { Shape } from '../../job/placement/shape.ts';
import type { Connection } from '../connection.ts';
import { shapeFrom } from './shapes.ts';

const SHAPES = `SELECT shape, spec, top_rank, top_jid FROM main.shapes INDEXED BY shapes_top
  WHERE top_jid IS NOT NULL AND (top_rank, top_jid) > (:rank, :jid) ORDER BY top_rank, top_jid LIMIT :limit`;
/** A host that could not start a job skips it for some time. */
const READY = `SELECT jid, priority FROM main.jobs INDEXED BY jobs_ready
  WHERE state = 'pending' AND gate IS NULL AND due IS NULL AND shape = :shape
  AND priority <= :priority AND NOT (priority = :priority AND jid <= :jid)
  AND (failed_starts IS NULL OR coalesce(failed_starts ->> :until, '') <= :now)
  ORDER BY priority DESC, jid LIMIT :limit`;
/** The same, of jobs with a time limit that is short enough. */
const SHORT = `SELECT jid, priority FROM main.jobs INDEXED BY jobs_limited
  WHERE state = 'pending' AND gate IS NULL AND due IS NULL AND time_limit IS NOT NULL AND shape = :shape
  AND priority <= :priority AND NOT (priority = :priority AND jid <= :jid) AND time_limit <= :maxSeconds
  AND (failed_starts IS NULL OR coalesce(failed_starts ->> :until, '') <= :now)
  ORDER BY priority DESC, jid LIMIT :limit`;
/** The first job of a shape, also if this host skips it. */
const LOWER_TOP = `UPDATE shapes SET (top_rank, top_jid) = (SELECT -priority, jid FROM main.jobs INDEXED BY jobs_ready
  WHERE state = 'pending' AND gate IS NULL AND due IS NULL AND shape = :shape ORDER BY priority DESC, jid LIMIT 1)
  WHERE shape = :shape`;

const SHAPES_PAGE = 64;
/** The number of jobs that are read of a shape at first. It doubles with each further read. */
const FIRST_JOBS = 8;
const MAX_JOBS = 1_024;
/** Stale tops are lowered only if this many of them made a search read shapes in vain: each costs a page to write. */
const TOLERATED_STALE_TOPS = 2;

/** A job that can be claimed. Jobs go by ascending rank, which is the negative priority, then by ascending jid. */
export interface ReadyJob extends Place {
  readonly shape: Shape;
}

/** The position of a job in the order of claims. */
export interface Place {
  readonly jid: number;
  readonly rank: number;
}

/** Whether a job goes before another one, regardless of shares. */
export function precedes(one: Place, other: Place): boolean {
  return one.rank < other.rank || (one.rank === other.rank && one.jid < other.jid);
}

/** Keeps places free for jobs that others have passed over. */
export interface ReservationPolicy {
  /** Notes that a shape does not fit. `first` returns its first job. */
  readonly note: (shape: Shape, obstacle: Obstacle, first: () => Place | undefined) => void;
  /** Whether a job leaves the reserved places free. */
  readonly permits: (job: ReadyJob) => boolean;
  /** The longest time limit of a job that is permitted, in seconds. Undefined if no job of the same shape is. */
  readonly maxSeconds: number | undefined;
}

/** The jobs of one shape in their order. */
export interface Cursor {
  readonly id: number;
  readonly shape: Shape;
  jobs: Place[];
  /** The number of jobs that the next read asks for; 0 once all are read. */
  limit: number;
  /** The last job that was read. */
  last: Place;
  /** Only jobs with a time limit of at most this are read. */
  maxSeconds?: number;
}

/** The row of a shape. No ready job of the shape precedes this place. */
export interface Top extends Place {
  readonly id: number;
  readonly spec: string;
}

/**
 * Finds the jobs that a host can claim, in the order in which it must claim them. Reads a shape only if no other job goes
 * before its top, and skips shapes that do not fit: within one claim, room only shrinks.
 */
export class ReadyJobs {
  private readonly cursors: Cursor[] = [];
  protected tops: Top[] = [];
  private lastTop: Place | undefined = { rank: -Number.MAX_SAFE_INTEGER, jid: 0 };
  private readonly staleTops: number[] = [];

  constructor(
    private readonly connection: Connection,
    private readonly seeker: { readonly until: string; readonly now: string },
    private readonly room: Pick<Room, 'obstacle' | 'share'>,
    private readonly isFair: boolean,
    private readonly reserving: ReservationPolicy,
  ) {}

  /** The next job that fits; undefined if there is none. The caller tells the room if it takes the job. */
  next(): ReadyJob | undefined {
    for (;;) {
      const best = this.best();
      if (this.opensBefore(best)) continue;
      if (best === undefined) return undefined;
      const obstacle = this.room.obstacle(best.shape);
      if (obstacle !== undefined) {
        this.reserving.note(best.shape, obstacle, () => best.jobs[0]);
        this.cursors.splice(this.cursors.indexOf(best), 1);
        continue;
      }
      const next = this.shift(best);
      const job = next === undefined ? undefined : { ...next, shape: best.shape };
      if (job === undefined || this.reserving.permits(job)) return job;
      this.restrict(best, job);
    }
  }

  /** Lowers the tops of shapes that were read in vain, so that later searches do not read them. */
  lowerStaleTops(): void {
    if (this.staleTops.length <= TOLERATED_STALE_TOPS) return;
    for (const shape of this.staleTops) this.connection.run(LOWER_TOP, { shape });
  }

  /** The cursor whose first job goes before the first jobs of the others. */
  private best(): Cursor | undefined {
    let best: Cursor | undefined;
    for (const cursor of this.cursors) if (best === undefined || this.isBefore(cursor, best)) best = cursor;
    return best;
  }

  private isBefore(one: Cursor, other: Cursor): boolean {
    const [a, b] = [one.jobs[0], other.jobs[0]];
    if (a === undefined || b === undefined) return b === undefined;
    if (a.rank !== b.rank) return a.rank < b.rank;
    const share = this.isFair ? this.room.share(one.shape.owner) - this.room.share(other.shape.owner) : 0;
    return share === 0 ? a.jid < b.jid : share < 0;
  }

  /** Opens the next shape if one of its jobs may go before the best job so far. Returns false if it does not. */
  private opensBefore(best: Cursor | undefined): boolean {
    const top = this.nextTop();
    const first = best?.jobs[0];
    if (top === undefined) return false;
    if (first !== undefined) {
      const isAfter = top.rank > first.rank || (top.rank === first.rank && !this.isFair && top.jid > first.jid);
      if (isAfter) return false;
    }
    this.tops.shift();
    this.open(top);
    return true;
  }

  protected open({ id, spec, rank, jid }: Top): void {
    const shape = shapeFrom(this.connection, spec);
    const cursor: Cursor = { id, shape, jobs: [], limit: FIRST_JOBS, last: { jid: 0, rank: -Number.MAX_SAFE_INTEGER } };
    const obstacle = this.room.obstacle(shape);
    if (obstacle !== undefined) {
      this.reserving.note(shape, obstacle, () => {
        this.read(cursor);
        return cursor.jobs[0];
      });
      return;
    }
    this.read(cursor);
    const first = cursor.jobs[0];
    if (first === undefined || first.rank > rank || first.jid > jid) this.staleTops.push(id);
    if (first !== undefined) this.cursors.push(cursor);
  }

  /** Continues after a job that is not permitted, with short jobs of the shape if these are. */
  private restrict(cursor: Cursor, job: Place): void {
    const { maxSeconds } = this.reserving;
    if (maxSeconds !== undefined && cursor.maxSeconds === maxSeconds) return;
    const index = this.cursors.indexOf(cursor);
    if (index >= 0) this.cursors.splice(index, 1);
    if (maxSeconds === undefined) return;
    Object.assign(cursor, { maxSeconds, jobs: [], limit: FIRST_JOBS, last: job });
    this.read(cursor);
    if (cursor.jobs.length > 0) this.cursors.push(cursor);
  }

  private shift(cursor: Cursor): Place | undefined {
    const job = cursor.jobs.shift();
    if (cursor.jobs.length === 0) this.read(cursor);
    if (cursor.jobs.length === 0) this.cursors.splice(this.cursors.indexOf(cursor), 1);
    return job;
  }

  protected read(cursor: Cursor): void {
    const { last, limit, maxSeconds } = cursor;
    if (limit === 0) return;
    const parameters = { shape: cursor.id, priority: -last.rank, jid: last.jid, limit, ...this.seeker };
    const rows =
      maxSeconds === undefined
        ? this.connection.all(READY, parameters)
        : this.connection.all(SHORT, { ...parameters, maxSeconds });
    cursor.jobs = rows.map(({ jid, priority }) => ({ jid: Number(jid), rank: -Number(priority) }));
    cursor.limit = rows.length < limit ? 0 : Math.min(MAX_JOBS, 2 * limit);
    cursor.last = cursor.jobs.at(-1) ?? last;
  }

  protected nextTop(): Top | undefined {
    if (this.tops.length === 0 && this.lastTop !== undefined) {
      const rows = this.connection.all(SHAPES, { ...this.lastTop, limit: SHAPES_PAGE });
      this.tops = rows.map(({ shape, spec, top_rank, top_jid }) => {
        return { id: Number(shape), spec: String(spec), rank: Number(top_rank), jid: Number(top_jid) };
      });
      this.lastTop = rows.length < SHAPES_PAGE ? undefined : this.tops.at(-1);
    }
    return this.tops[0];
  }
}

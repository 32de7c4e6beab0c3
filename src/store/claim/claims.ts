import { errorCode } from '../../job/errors.ts';
import type { ClaimedJob } from '../../job/job.ts';
import { type HostRoom, Room } from '../../job/placement/room.ts';
import { nextState } from '../../job/transitions.ts';
import type { Connection } from '../connection.ts';
import { HAS_VALID_LENGTHS, JOB_COLUMNS, jobFromRow } from '../job-rows.ts';
import { limitsIn, type PlacementRules } from './limits.ts';
import { ReadyJobs } from './ready-jobs.ts';
import { Reservations, removeReservation } from './reservations.ts';
import { hasShapeless, jobsWithLongText, shapeJobs } from './shapes.ts';

const IS_DELAYED = `state = 'pending' AND (due IS NOT NULL OR failed_starts IS NOT NULL)`;
const NEXT_RETRY = `SELECT min(failed_starts ->> :until) AS next FROM main.jobs INDEXED BY jobs_delayed
  WHERE ${IS_DELAYED} AND due IS NULL`;
const NEXT_DUE = `SELECT min(due) AS next FROM main.jobs INDEXED BY jobs_delayed WHERE ${IS_DELAYED} AND due IS NOT NULL`;
/** A thousand rows at a time keep an exchange short. */
const CLEAR_DUE = `UPDATE jobs SET due = NULL WHERE jid IN
  (SELECT jid FROM jobs INDEXED BY jobs_delayed WHERE ${IS_DELAYED} AND due <= ? ORDER BY due LIMIT 1000)`;
const CLAIM = `UPDATE jobs SET state = :state, attempt = attempt + 1, claim = claim + 1, started = :now, runner = :host, boot = :boot,
  journal = :journal, stdout = 'stdout/' || jid, stderr = 'stderr/' || jid
  WHERE jid = :jid AND state = 'pending' AND ${HAS_VALID_LENGTHS} RETURNING ${JOB_COLUMNS}, claim`;

/** The state of a claimed job. */
const CLAIMED = nextState({ state: 'pending', restartable: false }, { kind: 'claim' })?.state ?? null;

/** Whether this host may run a job with these `runners`. */
export type MayRun = (runners: string) => boolean;

/** A host that looks for jobs, and the time. */
export interface Seeker {
  readonly host: string;
  readonly now: string;
  /** The time by the clock of the file server, by which jobs are due; `now` by default. */
  readonly serverNow?: string;
}

/** The host that claims, its boot id, and the id of the journal that will record the attempts. */
export interface Claimant extends Seeker {
  readonly boot: string;
  readonly journal: string;
}

/** What a host can take, and the rules of the queue. */
export interface ClaimRequest {
  readonly room: HostRoom;
  readonly mayRun: MayRun;
  readonly rules: PlacementRules;
}

/** When a job can be claimed that cannot be claimed now; undefined if there is no such job. */
export interface NextTimes {
  /** When this host tries again to start a job that it could not start, by its own clock. */
  readonly retryAt: string | undefined;
  /** When the next job is due, by the clock of the file server. */
  readonly dueAt: string | undefined;
}

export interface ClaimResult {
  readonly claimed: ClaimedJob[];
  /** Set if the host can claim no further job now. */
  readonly next: NextTimes | undefined;
  /** Jids of rows that violate a constraint or are too long. A user's trigger or SQL can make such rows. */
  readonly invalid: number[];
}

/** Up to this number of invalid rows, other jobs are still found. */
const MAX_INVALID = 1_000;
/** Rows that one exchange changes besides its results. */
const MAX_SHAPED = 1_000;

/**
 * Claims the pending jobs that fit the room of the host and the limits of the queue: by descending priority, then by
 * ascending jid. A job that does not fit is passed over.
 */
export function claimJobs(connection: Connection, by: Claimant, request: ClaimRequest): ClaimResult {
  const { cpus, ahead } = request.room;
  const claims: Claims = { claimed: [], invalid: [] };
  if (cpus + ahead < 1) return { ...claims, next: undefined };
  connection.run(CLEAR_DUE, [by.serverNow ?? by.now]);
  claims.invalid.push(...shapeJobs(connection, MAX_SHAPED));
  claims.invalid.push(...jobsWithLongText(connection, MAX_INVALID));
  const isExhausted = claimEach(connection, by, request, claims);
  return { ...claims, next: isExhausted ? nextTimes(connection, by.host) : undefined };
}

type Claims = Omit<ClaimResult, 'next'>;

/** Returns whether the host can claim no further job. */
function claimEach(connection: Connection, by: Claimant, request: ClaimRequest, { claimed, invalid }: Claims): boolean {
  const { jobs, room, reservations } = search(connection, by, request);
  const limit = request.room.cpus + request.room.ahead;
  for (;;) {
    if (claimed.length >= limit || invalid.length > MAX_INVALID) {
      reservations.record();
      return false;
    }
    const next = jobs.next();
    if (next === undefined) break;
    const job = claimOne(connection, by, next.jid);
    if (job === undefined) invalid.push(next.jid);
    else {
      claimed.push(job);
      room.take(next.shape);
      removeReservation(connection, next.jid, next.shape);
    }
  }
  jobs.lowerStaleTops();
  reservations.record();
  return true;
}

function search(
  connection: Connection,
  { host, now, serverNow = now }: Seeker,
  { room: free, mayRun, rules }: ClaimRequest,
): { jobs: ReadyJobs; room: Room; reservations: Reservations } {
  const room = new Room(free, mayRun, limitsIn(connection, rules));
  const { isFair, reserveAfterS } = rules;
  const reservations = new Reservations(connection, { host, now: serverNow, free, room, reserveAfterS });
  return {
    room,
    reservations,
    jobs: new ReadyJobs(connection, { until: untilPath(host), now }, room, isFair, reservations),
  };
}

function claimOne(connection: Connection, by: Claimant, jid: number): ClaimedJob | undefined {
  try {
    const { host, boot, journal, now } = by;
    const row = connection.get(CLAIM, { host, boot, journal, now, jid, state: CLAIMED });
    return row === undefined ? undefined : (jobFromRow(row) as ClaimedJob);
  } catch (error) {
    if (errorCode(error)?.startsWith('SQLITE_CONSTRAINT') !== true) throw error;
    return undefined;
  }
}

/**
 * Whether the host may claim a job that is not known to be invalid, or a job is due that no host has claimed since, or jobs
 * have no shape yet.
 */
export function isClaimable(
  connection: Connection,
  seeker: Seeker,
  request: ClaimRequest,
  invalid: ReadonlySet<number> = new Set(),
): boolean {
  const due = nextDue(connection);
  if ((due !== undefined && due <= (seeker.serverNow ?? seeker.now)) || hasShapeless(connection, invalid)) return true;
  const { jobs } = search(connection, seeker, request);
  let job = jobs.next();
  while (job !== undefined && invalid.has(job.jid)) job = jobs.next();
  return job !== undefined;
}

export function nextTimes(connection: Connection, host: string): NextTimes {
  return { retryAt: nextRetry(connection, host), dueAt: nextDue(connection) };
}

function nextRetry(connection: Connection, host: string): string | undefined {
  const next = connection.get(NEXT_RETRY, { until: untilPath(host) })?.['next'];
  return typeof next === 'string' ? next : undefined;
}

function nextDue(connection: Connection): string | undefined {
  const next = connection.get(NEXT_DUE)?.['next'];
  return typeof next === 'string' ? next : undefined;
}

/** The JSON path of the time in `failed_starts` before which the host skips the job. Host names contain no quotes. */
function untilPath(host: string): string {
  return `$."${host}".until`;
}

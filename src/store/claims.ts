import { errorCode } from '../job/errors.ts';
import type { ClaimedJob } from '../job/job.ts';
import { nextState } from '../job/transitions.ts';
import type { Connection } from './connection.ts';
import { HAS_VALID_LENGTHS, JOB_COLUMNS, jobFromRow } from './job-rows.ts';

/** A host that could not start a job skips it for some time. */
const IS_DUE = `(failed_starts IS NULL OR coalesce(failed_starts ->> :until, '') <= :now)`;
const UNRESTRICTED_JOBS = `SELECT jid, priority FROM main.jobs INDEXED BY jobs_claimable
  WHERE state = 'pending' AND runners IS NULL AND due IS NULL AND ${IS_DUE}
  ORDER BY priority DESC, jid LIMIT :limit`;
const NEXT_RUNNERS = `SELECT min(runners) AS runners FROM main.jobs INDEXED BY jobs_constrained
  WHERE state = 'pending' AND runners IS NOT NULL AND due IS NULL AND runners > ?`;
const RESTRICTED_JOBS = `SELECT jid, priority FROM main.jobs INDEXED BY jobs_constrained
  WHERE state = 'pending' AND runners IS NOT NULL AND due IS NULL AND runners = :runners AND ${IS_DUE}
  ORDER BY priority DESC, jid LIMIT :limit`;
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

interface Candidate {
  readonly jid: number;
  readonly priority: number;
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

/** Claims up to `limit` pending jobs that the host may run: by descending priority, then by ascending jid. */
export function claimJobs(connection: Connection, by: Claimant, mayRun: MayRun, limit: number): ClaimResult {
  const claims: Claims = { claimed: [], invalid: [] };
  if (limit < 1) return { ...claims, next: undefined };
  connection.run(CLEAR_DUE, [by.serverNow ?? by.now]);
  claimEach(connection, by, candidates(connection, by, mayRun, limit), limit, claims);
  if (claims.invalid.length > 0) {
    const further = candidates(connection, by, mayRun, limit + MAX_INVALID);
    const tried = new Set([...claims.invalid, ...claims.claimed.map(({ jid }) => jid)]);
    const others = further.filter(({ jid }) => !tried.has(jid));
    claimEach(connection, by, others, limit, claims);
  }
  return { ...claims, next: claims.claimed.length < limit ? nextTimes(connection, by.host) : undefined };
}

type Claims = Omit<ClaimResult, 'next'>;

function claimEach(
  connection: Connection,
  by: Claimant,
  found: readonly Candidate[],
  limit: number,
  { claimed, invalid }: Claims,
): void {
  for (const { jid } of found) {
    if (claimed.length >= limit) return;
    const job = claimOne(connection, by, jid);
    if (job === undefined) invalid.push(jid);
    else claimed.push(job);
  }
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

/** Whether the host may claim a job that is not known to be invalid, or a job is due that no host has claimed since. */
export function isClaimable(
  connection: Connection,
  seeker: Seeker,
  mayRun: MayRun,
  invalid: ReadonlySet<number> = new Set(),
): boolean {
  const due = nextDue(connection);
  if (due !== undefined && due <= (seeker.serverNow ?? seeker.now)) return true;
  return candidates(connection, seeker, mayRun, 1 + invalid.size).some(({ jid }) => !invalid.has(jid));
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

/** The jobs that a claim takes, in its order. `mayRun` is called once for each value of `runners`. */
function candidates(connection: Connection, { host, now }: Seeker, mayRun: MayRun, limit: number): Candidate[] {
  const parameters = { until: untilPath(host), now, limit };
  const found = rowsOf(connection, UNRESTRICTED_JOBS, parameters);
  let runners = nextRunners(connection, '');
  while (runners !== undefined) {
    if (mayRun(runners)) found.push(...rowsOf(connection, RESTRICTED_JOBS, { ...parameters, runners }));
    runners = nextRunners(connection, runners);
  }
  return found.sort((a, b) => b.priority - a.priority || a.jid - b.jid).slice(0, limit);
}

function rowsOf(connection: Connection, sql: string, parameters: Record<string, string | number>): Candidate[] {
  return connection.all(sql, parameters).map((row) => ({ jid: Number(row['jid']), priority: Number(row['priority']) }));
}

function nextRunners(connection: Connection, after: string): string | undefined {
  const runners = connection.get(NEXT_RUNNERS, [after])?.['runners'];
  return typeof runners === 'string' ? runners : undefined;
}

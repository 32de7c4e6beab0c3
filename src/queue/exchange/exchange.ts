import { crashAt } from '../../job/crash-points.ts';
import type { AttemptKey, RunningJob } from '../../job/job.ts';
import {
  type AttemptEnd,
  type AttemptStart,
  type ClaimedJobRow,
  jobsRunningOn,
  ownedAttempts,
  releaseJob,
  reportEnd,
  reportStart,
} from '../../store/attempts.ts';
import { type Claimant, claimJobs, isClaimable, type MayRun } from '../../store/claims.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';

export type { AttemptEnd, AttemptStart, ClaimedJobRow, MayRun };

/** All that a feeder has for the database at one time. */
export interface ExchangeRequest {
  readonly claimant: Omit<Claimant, 'now'>;
  readonly starts: readonly AttemptStart[];
  readonly ends: readonly AttemptEnd[];
  /** Attempts that were provably never started. */
  readonly releases: readonly AttemptKey[];
  /** How many jobs to claim at most. */
  readonly claim: number;
  readonly mayRun: MayRun;
}

export interface ExchangeResult {
  readonly claimed: RunningJob[];
  /** Pending jobs that rq never wrote so, and that cannot be run. */
  readonly invalid: number[];
  /** Attempts whose job was another's by now; their ends were not recorded. */
  readonly refused: AttemptKey[];
}

/** Reports what ended and claims what fits, in one transaction. */
export async function exchange(queue: Queue, request: ExchangeRequest): Promise<ExchangeResult> {
  return await transaction(queue, (run) => exchangeIn(run, request, queue.clock.now()));
}

function exchangeIn({ connection }: Transaction, request: ExchangeRequest, now: string): ExchangeResult {
  const { claimant } = request;
  for (const start of request.starts) reportStart(connection, claimant.host, start);
  const refused = request.ends.filter((end) => !reportEnd(connection, claimant.host, end));
  for (const key of request.releases) {
    const none = { pid: null, started: now, finished: now, elapsed: null, exit_status: null, signal: null };
    releaseJob(connection, claimant.host, { ...key, ...none, reason: 'it was never started' });
  }
  const claims = claimJobs(connection, { ...claimant, now }, request.mayRun, request.claim);
  if (claims.claimed.length > 0) crashAt('claim-worked');
  return { ...claims, refused };
}

/** Whether there is a job that this host may run, but for those that are known to be invalid; takes no lease. */
export async function hasClaimable(
  queue: Queue,
  mayRun: MayRun,
  invalid: ReadonlySet<number> = new Set(),
): Promise<boolean> {
  return await read(queue, (connection) => isClaimable(connection, mayRun, invalid));
}

/** Those of a host's attempts whose result the queue would take; takes no lease. */
export async function readOwnedAttempts(
  queue: Queue,
  host: string,
  keys: readonly AttemptKey[],
): Promise<AttemptKey[]> {
  return await read(queue, (connection) => ownedAttempts(connection, host, keys));
}

/** The jobs that a host is running, by what the database knows. */
export async function runningJobs(queue: Queue, host: string): Promise<ClaimedJobRow[]> {
  return await read(queue, (connection) => jobsRunningOn(connection, host));
}

import { crashAt } from '../../job/crash-points.ts';
import type { AttemptKey, RunningJob } from '../../job/job.ts';
import {
  type AttemptEnd,
  type AttemptStart,
  type ClaimedRow,
  giveBack,
  ownedAttempts,
  recordEnd,
  recordStart,
  runningOn,
} from '../../store/attempts.ts';
import { type Claimant, claimJobs, isClaimable, type MayRun } from '../../store/claims.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';

export type { AttemptEnd, AttemptStart, ClaimedRow, MayRun };

/** All that a feeder has for the database at one time. */
export interface Exchange {
  readonly by: Omit<Claimant, 'now'>;
  readonly starts: readonly AttemptStart[];
  readonly ends: readonly AttemptEnd[];
  /** Attempts that were provably never started. */
  readonly unstarted: readonly AttemptKey[];
  /** How many jobs to claim at most. */
  readonly claim: number;
  readonly mayRun: MayRun;
}

export interface Exchanged {
  readonly claimed: RunningJob[];
  /** Pending jobs that rq never wrote so, and that cannot be run. */
  readonly unsound: number[];
  /** Attempts whose job was another's by now; their ends were not recorded. */
  readonly refused: AttemptKey[];
}

/** Reports what ended and claims what fits, in one transaction. */
export async function exchange(queue: Queue, request: Exchange): Promise<Exchanged> {
  return await transaction(queue, (run) => exchangeIn(run, request, queue.clock.now()));
}

function exchangeIn({ connection }: Transaction, request: Exchange, now: string): Exchanged {
  const { by } = request;
  for (const start of request.starts) recordStart(connection, by.host, start);
  const refused = request.ends.filter((end) => !recordEnd(connection, by.host, end));
  for (const key of request.unstarted) {
    const none = { pid: null, started: now, finished: now, elapsed: null, exit_status: null, signal: null };
    giveBack(connection, by.host, { ...key, ...none, reason: 'it was never started' });
  }
  const claims = claimJobs(connection, { ...by, now }, request.mayRun, request.claim);
  if (claims.claimed.length > 0) crashAt('claim-worked');
  return { ...claims, refused };
}

/** Whether there is a job that this host may run, but for those that are known to be unsound; takes no lease. */
export async function hasClaimable(
  queue: Queue,
  mayRun: MayRun,
  unsound: ReadonlySet<number> = new Set(),
): Promise<boolean> {
  return await read(queue, (connection) => isClaimable(connection, mayRun, unsound));
}

/** Those of a host's attempts whose result the queue would take; takes no lease. */
export async function stillOwned(queue: Queue, host: string, keys: readonly AttemptKey[]): Promise<AttemptKey[]> {
  return await read(queue, (connection) => ownedAttempts(connection, host, keys));
}

/** The jobs that a host is running, by what the database knows. */
export async function runningJobs(queue: Queue, host: string): Promise<ClaimedRow[]> {
  return await read(queue, (connection) => runningOn(connection, host));
}

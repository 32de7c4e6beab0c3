import { crashAt } from '../../job/crash-points.ts';
import type { AttemptKey, ClaimedJob } from '../../job/job.ts';
import { matchesHost } from '../../job/placement/host-patterns.ts';
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
import { type Claimant, claimJobs, isClaimable, type MayRun, nextRetry } from '../../store/claims.ts';
import { readFence } from '../../store/operations.ts';
import { feedingHosts } from '../nodes/feeding-hosts.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';

export type { AttemptEnd, AttemptStart, ClaimedJobRow, MayRun };

/** The input of one exchange. */
export interface ExchangeRequest {
  readonly claimant: Omit<Claimant, 'now'>;
  readonly starts: readonly AttemptStart[];
  readonly ends: readonly AttemptEnd[];
  /** Attempts that never started. */
  readonly releases: readonly AttemptKey[];
  /** The number of jobs to claim at most. */
  readonly claim: number;
  readonly mayRun: MayRun;
}

export interface ExchangeResult {
  readonly claimed: ClaimedJob[];
  /** Jids of pending jobs whose rows are invalid, so that they cannot be claimed. */
  readonly invalid: number[];
  /** Attempts whose end was not recorded, because the job has another attempt by now. */
  readonly refused: AttemptKey[];
  /** The generation of the transaction. */
  readonly generation: number;
  /** Reports that the database rejects: the row was not written by rq, or a user has added a trigger. */
  readonly setAside: (AttemptKey & { readonly reason: string })[];
}

/** Reports, releases and claims jobs in one transaction. */
export async function exchange(queue: Queue, request: ExchangeRequest): Promise<ExchangeResult> {
  const { ends, claimant } = request;
  // Only a failed start needs the other hosts. They are read before the transaction.
  const hasFailedStart = ends.some(({ not_started }) => not_started === 'failed' || not_started === 'hung');
  const hosts = hasFailedStart ? feedingHosts(queue, claimant.host) : [];
  return await transaction(queue, (run) => exchangeIn(run, request, hosts, queue.clock.now()));
}

function exchangeIn(
  { connection }: Transaction,
  request: ExchangeRequest,
  hosts: readonly string[],
  now: string,
): ExchangeResult {
  const { claimant } = request;
  const { host } = claimant;
  const refused: AttemptKey[] = [];
  const setAside: ExchangeResult['setAside'] = [];
  const apply = <Report extends AttemptKey>(reports: readonly Report[], report: (each: Report) => void): void => {
    for (const each of reports) {
      const { jid, claim } = each;
      connection.part(
        () => report(each),
        ({ message }) => setAside.push({ jid, claim, reason: message }),
      );
    }
  };
  const hostsFor = (runners: string | null): string[] =>
    hosts.filter((each) => runners === null || matchesHost(runners, each));
  apply(request.starts, (start) => reportStart(connection, host, start));
  apply(request.ends, (end) => {
    if (!reportEnd(connection, host, end, hostsFor)) refused.push(end);
  });
  apply(request.releases, (key) => releaseJob(connection, host, key, now));
  const claims = claimJobs(connection, { ...claimant, now }, request.mayRun, request.claim);
  if (claims.claimed.length > 0) crashAt('claim-executed');
  return { ...claims, refused, setAside, generation: readFence(connection) };
}

/** What a host finds in the queue. */
export interface Search {
  /** It may claim a job now. */
  readonly isClaimable: boolean;
  /** If not: when it tries again to start a job that it could not start. */
  readonly retryAt?: string | undefined;
}

/** Looks for a job that this host may claim, other than those that are known to be invalid. Takes no lease. */
export async function findClaimable(
  queue: Queue,
  host: string,
  mayRun: MayRun,
  invalid: ReadonlySet<number> = new Set(),
): Promise<Search> {
  return await read(queue, (connection) => {
    const now = queue.clock.now();
    if (isClaimable(connection, { host, now }, mayRun, invalid)) return { isClaimable: true };
    return { isClaimable: false, retryAt: nextRetry(connection, host) };
  });
}

/** The attempts of a host whose ends the queue would accept. Takes no lease. */
export async function readOwnedAttempts(
  queue: Queue,
  host: string,
  keys: readonly AttemptKey[],
): Promise<AttemptKey[]> {
  return await read(queue, (connection) => ownedAttempts(connection, host, keys));
}

/** The jobs that run on a host, as the database shows them. */
export async function runningJobs(queue: Queue, host: string): Promise<ClaimedJobRow[]> {
  return await read(queue, (connection) => jobsRunningOn(connection, host));
}

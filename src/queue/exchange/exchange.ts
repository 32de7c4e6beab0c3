import { crashAt } from '../../job/crash-points.ts';
import type { AttemptKey, ClaimedJob } from '../../job/job.ts';
import { matchesHost } from '../../job/placement/host-patterns.ts';
import type { HostRoom } from '../../job/placement/room.ts';
import { endStoppedTasks, hasStoppedTasks } from '../../store/arrays.ts';
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
import {
  type Claimant,
  claimJobs,
  isClaimable,
  type MayRun,
  type NextTimes,
  nextTimes,
} from '../../store/claim/claims.ts';
import type { Connection } from '../../store/connection.ts';
import { drainedHosts } from '../../store/control/hosts.ts';
import { removeOrders } from '../../store/control/orders.ts';
import { isRunningJobNeeded } from '../../store/dependencies/dependents.ts';
import { hasUndecided, workOffDecisions } from '../../store/dependencies/work-off.ts';
import { readFence } from '../../store/operations.ts';
import { feedingHosts } from '../nodes/feeding-hosts.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';
import { type ClaimControl, type Control, readControl } from './control.ts';

export type { AttemptEnd, AttemptStart, ClaimedJobRow, MayRun };

/** What a drained host can take. */
const NO_ROOM: HostRoom = { cpus: 0, ahead: 0, memory: null, gpus: 0, resources: {} };

/** When this host can claim a job again. */
export interface Next extends NextTimes {
  /** A pending job needs one that is running. */
  readonly mayOpen: boolean;
}

/** The input of one exchange. */
export interface ExchangeRequest {
  readonly claimant: Omit<Claimant, 'now' | 'serverNow'>;
  /** The time by the clock of the file server; that of this host by default. */
  readonly serverNow?: () => string;
  readonly starts: readonly AttemptStart[];
  readonly ends: readonly AttemptEnd[];
  /** Attempts that never started. */
  readonly releases: readonly AttemptKey[];
  /** What this host can take. */
  readonly room: HostRoom;
  readonly mayRun: MayRun;
  /** The ids of orders that were delivered. */
  readonly delivered?: readonly number[];
  /** What the feeder knows of the wishes of users. If there is another version, the result contains it. */
  readonly known?: ClaimControl | undefined;
  /** The feeder ends when the queue is empty. */
  readonly untilEmpty?: boolean;
}

export interface ExchangeResult {
  readonly claimed: ClaimedJob[];
  /** Set if this host can claim no further job now, and no array is being stopped. */
  readonly next: Next | undefined;
  /** Jids of pending jobs whose rows are invalid, so that they cannot be claimed. */
  readonly invalid: number[];
  /** Attempts whose end was not recorded, because the job has another attempt by now. */
  readonly refused: AttemptKey[];
  /** Jobs ended whose dependents are not all decided yet. */
  readonly hasUndecided: boolean;
  /** The generation of the transaction. */
  readonly generation: number;
  /** Reports that the database rejects: the row was not written by rq, or a user has added a trigger. */
  readonly setAside: (AttemptKey & { readonly reason: string })[];
  /** What users want of this host and of its attempts; undefined if the feeder knows it. */
  readonly control: Control | undefined;
}

/** Reports, releases and claims jobs in one transaction. */
export async function exchange(queue: Queue, request: ExchangeRequest): Promise<ExchangeResult> {
  const { ends, claimant } = request;
  // Only a failed start and a retry need the other hosts. They are read before the transaction.
  const hosts = ends.some(needsHosts) ? feedingHosts(queue, claimant.host) : [];
  return await transaction(queue, (run) => exchangeIn(run, request, hosts, queue.clock.now()));
}

function exchangeIn(
  { connection }: Transaction,
  request: ExchangeRequest,
  hosts: readonly string[],
  now: string,
): ExchangeResult {
  const { claimant, delivered = [] } = request;
  const { host } = claimant;
  const serverNow = request.serverNow?.() ?? now;
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
  const drained = new Set(hosts.length === 0 ? [] : drainedHosts(connection).map((each) => each.host));
  const hostsFor = (runners: string | null): string[] =>
    hosts.filter((each) => !drained.has(each) && (runners === null || matchesHost(runners, each)));
  apply(request.starts, (start) => reportStart(connection, host, start));
  apply(request.ends, (end) => {
    if (!reportEnd(connection, host, end, { hostsFor, serverNow })) refused.push(end);
  });
  apply(request.releases, (key) => releaseJob(connection, host, key, now));
  if (delivered.length > 0) removeOrders(connection, delivered);
  const isStopping = endStoppedTasks(connection, now);
  const isUndecided = workOffDecisions(connection, now);
  // Before the claim, which must keep to limits that were set since the last exchange.
  const { current, changed: control } = readControl(connection, host, request.known);
  const room = current.drain === undefined ? request.room : NO_ROOM;
  const { mayRun } = request;
  const claims = claimJobs(connection, { ...claimant, now, serverNow }, { room, mayRun, rules: current.rules });
  if (claims.claimed.length > 0) crashAt('claim-executed');
  const next = isStopping || claims.next === undefined ? undefined : nextOf(connection, claims.next, request);
  const generation = readFence(connection);
  return { ...claims, next, refused, setAside, control, hasUndecided: isUndecided, generation };
}

function nextOf(
  connection: Connection,
  times: NextTimes,
  { untilEmpty = false }: Pick<SearchRequest, 'untilEmpty'>,
): Next {
  return { ...times, mayOpen: untilEmpty && isRunningJobNeeded(connection) };
}

/** Whether the hosts that feed decide what becomes of a job after this end. */
function needsHosts(end: AttemptEnd): boolean {
  return end.not_started ? end.not_started !== 'shortage' : mayBeRetried(end);
}

/** Whether the attempt failed, and its job may have retries left. */
export function mayBeRetried({ exit_status, reason, mayRetry }: AttemptEnd): boolean {
  return mayRetry === true && (exit_status !== 0 || reason !== null);
}

/** What a host looks for in the queue. */
export interface SearchRequest {
  readonly host: string;
  readonly serverNow: () => string;
  readonly mayRun: MayRun;
  /** What it can take; undefined if it would claim no job. */
  readonly room: HostRoom | undefined;
  /** Jobs that are known to be invalid. */
  readonly invalid?: ReadonlySet<number>;
  /** As in `ExchangeRequest`. */
  readonly known: ClaimControl | undefined;
  readonly untilEmpty?: boolean;
}

/** What a host finds in the queue. */
export interface Search {
  /** Set if it can claim no job now. */
  readonly next: Next | undefined;
  /** As in `ExchangeResult`. */
  readonly control: Control | undefined;
  readonly hasUndecided: boolean;
}

/** Looks for a job that this host may claim, for what users want of it, and for undecided dependents. Takes no lease. */
export async function search(queue: Queue, request: SearchRequest): Promise<Search> {
  const { host, invalid, mayRun, room } = request;
  return await read(queue, (connection) => {
    const { current, changed: control } = readControl(connection, host, request.known);
    const isUndecided = hasUndecided(connection);
    if (room === undefined || isUndecided) return { next: undefined, control, hasUndecided: isUndecided };
    const { drain, rules } = current;
    const seeker = { host, now: queue.clock.now(), serverNow: request.serverNow() };
    const isFound = (): boolean =>
      isClaimable(connection, seeker, { room, mayRun, rules }, invalid) || hasStoppedTasks(connection);
    const canClaim = drain === undefined && isFound();
    const next = canClaim ? undefined : nextOf(connection, nextTimes(connection, host), request);
    return { next, control, hasUndecided: false };
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

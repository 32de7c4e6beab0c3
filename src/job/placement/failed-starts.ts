/** The failed starts of a job on one host. Times are ISO 8601 in UTC. */
export interface HostFailures {
  readonly count: number;
  readonly first: string;
  /** The host does not claim the job before this time. */
  readonly until: string;
  /** Why the last start or attempt failed. */
  readonly reason: string;
  /** An attempt began on the host and failed. No start failed there. */
  readonly hasBegun?: true;
}

/** The failed starts of a job by host, as the column `failed_starts` keeps them. */
export type FailedStarts = Readonly<Record<string, HostFailures>>;

export interface FailedStart {
  readonly host: string;
  readonly reason: string;
  readonly now: string;
  /** The directory of the job did not respond. That can end, so it never makes the job dead. */
  readonly isHung: boolean;
  /** The hosts that feed and may run the job. */
  readonly eligible: readonly string[];
}

/** A job is dead after this many failed starts, on this many hosts if as many are eligible. */
const MAX_STARTS = 3;
const MAX_HOSTS = 3;
/** The time from the first failed start to the last, at least: a missing mount may appear. */
const MIN_SPAN_MS = 60_000;
/** How long a host skips the job while another eligible host has not tried it. */
const SKIP_MS = 600_000;
/** The pause before the next try where all eligible hosts have failed. */
const RETRY_MS = 30_000;

/** Adds a failed start. The job is dead if `isFinal`; its reason is then `finalReason`. */
export function addFailedStart(
  failures: FailedStarts,
  start: FailedStart,
): { failures: FailedStarts; isFinal: boolean } {
  const { host, reason, now, isHung, eligible } = start;
  const nowMs = Date.parse(now);
  const before = failures[host];
  const count = (before?.count ?? 0) + (isHung ? 0 : 1);
  const added: FailedStarts = {
    ...failures,
    [host]: { count, first: before?.first ?? now, until: later(nowMs, SKIP_MS), reason },
  };
  const hosts = Object.values(added).filter(({ hasBegun }) => hasBegun !== true);
  const firstMs = Math.min(...hosts.map(({ first }) => Date.parse(first)));
  const starts = hosts.reduce((sum, each) => sum + each.count, 0);
  const others = eligible.filter((each) => !Object.hasOwn(added, each));
  const hasEnough = starts >= MAX_STARTS && hosts.length >= Math.min(MAX_HOSTS, new Set([...eligible, host]).size);
  const isFinal = !isHung && hasEnough && nowMs - firstMs >= MIN_SPAN_MS;
  return { failures: others.length === 0 ? retriedSoon(added, nowMs) : added, isFinal };
}

/**
 * Adds a host on which an attempt failed, for a retry at `due`. The host skips the job while another eligible host has not
 * tried it.
 */
export function addFailedAttempt(
  failures: FailedStarts,
  { host, reason, now, due, eligible }: Omit<FailedStart, 'isHung'> & { readonly due: string },
): FailedStarts {
  const until = later(Date.parse(now), SKIP_MS);
  const added = { ...failures, [host]: { count: 0, first: now, until, reason, hasBegun: true as const } };
  const others = eligible.filter((each) => !(Date.parse(added[each]?.until ?? '') > Date.parse(now)));
  return others.length === 0 ? limited(added, Date.parse(due)) : added;
}

/** The reason of a job that is dead because hosts could not start it. */
export function finalReason(failures: FailedStarts, lastReason: string): string {
  const hosts = Object.keys(failures).filter((host) => failures[host]?.hasBegun !== true);
  return hosts.length === 1 ? lastReason : `${lastReason} (tried on ${hosts.join(', ')})`;
}

/** Parses the column. A value that rq did not write counts as no failures. */
export function parseFailedStarts(text: unknown): FailedStarts {
  if (typeof text !== 'string') return {};
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? (value as FailedStarts) : {};
}

function retriedSoon(failures: FailedStarts, nowMs: number): FailedStarts {
  return limited(failures, nowMs + RETRY_MS);
}

/** No host skips the job for longer than until the given time. */
function limited(failures: FailedStarts, untilMs: number): FailedStarts {
  const entries = Object.entries(failures);
  return Object.fromEntries(
    entries.map(([host, each]) => [host, { ...each, until: later(Math.min(untilMs, Date.parse(each.until)), 0) }]),
  );
}

function later(nowMs: number, ms: number): string {
  return new Date(nowMs + ms).toISOString();
}

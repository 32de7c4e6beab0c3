import type { Shape } from '../shape.ts';
import { type Shortage, shortagesOf, UNKNOWN_CAPACITY } from './capacity.ts';
import type { Drained, HostFacts, HostState, QueueFacts, Turn, WaitingFacts } from './facts.ts';
import type { HostMatcher } from './host-matcher.ts';

/** What decides whether a host can run a job, apart from what keeps the job from every host. */
export type HostCause =
  /** The job may not run there. */
  | { readonly kind: 'excluded'; readonly runners: string }
  | { readonly kind: 'too small'; readonly shortages: readonly Shortage[] }
  | { readonly kind: 'silent' }
  | { readonly kind: 'drained'; readonly drained: Drained }
  /** The host could not start the job, or the job failed there. */
  | { readonly kind: 'skips'; readonly until: string; readonly reason: string }
  | { readonly kind: 'full'; readonly shortages: readonly Shortage[]; readonly turn: Turn | undefined }
  | { readonly kind: 'turn'; readonly turn: Turn | undefined }
  | { readonly kind: 'next' };

export interface HostAndCause {
  readonly host: HostFacts;
  readonly cause: HostCause;
}

type Queue = Pick<QueueFacts, 'hosts' | 'mayRun' | 'now'>;

/** The causes for all hosts, and for those that the job names and that have never fed or have left. */
export function hostCauses(waiting: WaitingFacts, { hosts, mayRun, now }: Queue): HostAndCause[] {
  const absent = absentHosts(waiting.shape.runners, hosts, mayRun).map((host): HostFacts => {
    const capacity = UNKNOWN_CAPACITY;
    const state: HostState = { host, isFeeding: false, lastHeartbeat: null, capacity };
    return { ...state, free: { ...capacity, ahead: 0 }, running: [], drained: undefined };
  });
  return [...hosts, ...absent].map((host) => ({ host, cause: causeOn(host, waiting, { mayRun, now }) }));
}

function causeOn(
  host: HostFacts,
  { shape, failures, turnOn }: WaitingFacts,
  { mayRun, now }: Omit<Queue, 'hosts'>,
): HostCause {
  const { runners } = shape;
  if (runners !== null && !mayRun(runners, host.host)) return { kind: 'excluded', runners };
  const missing = shortagesOf(shape, host.capacity);
  if (missing.length > 0) return { kind: 'too small', shortages: missing };
  if (!host.isFeeding) return { kind: 'silent' };
  if (host.drained !== undefined) return { kind: 'drained', drained: host.drained };
  const failed = failures[host.host];
  if (failed !== undefined && failed.until > now) return { kind: 'skips', until: failed.until, reason: failed.reason };
  const turn = turnOn(host.host);
  if (turn?.isNext === true) return { kind: 'next' };
  const shortages = shortagesOf(shape, host.free);
  return shortages.length > 0 ? { kind: 'full', shortages, turn } : { kind: 'turn', turn };
}

/** The names in `runners` that are not patterns and that no host has. */
function absentHosts(runners: Shape['runners'], hosts: Queue['hosts'], mayRun: HostMatcher): string[] {
  const names = (runners ?? '').split(',').filter((name) => /^[A-Za-z0-9._-]+$/.test(name));
  return [...new Set(names)].filter((name) => !hosts.some(({ host }) => mayRun(name, host)));
}

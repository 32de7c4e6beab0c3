import type { Connection } from '../../store/connection.ts';
import { type Drain, drainedHosts } from '../../store/control/hosts.ts';
import { runningByHost } from '../../store/counts/counts.ts';
import { type Node, readNodes } from './nodes.ts';

/** What the database says about the hosts of a queue. */
export interface HostRecords {
  /** The number of running jobs of each host. */
  readonly running: ReadonlyMap<string, number>;
  readonly drains: readonly Drain[];
}

/** A host that feeds, or that is drained: the latter may have no node. */
export interface KnownHost extends Omit<Node, 'lastHeartbeat'> {
  /** Null for a drained host on which no feeder runs. */
  readonly lastHeartbeat: string | null;
  readonly drain: Drain | undefined;
}

export function hostRecordsIn(connection: Connection): HostRecords {
  return { running: runningByHost(connection), drains: drainedHosts(connection) };
}

/** The nodes of a queue and the drained hosts, in the order of their names. */
export function knownHosts(queueDirectory: string, drains: readonly Drain[]): KnownHost[] {
  const byHost = new Map(drains.map((drain) => [drain.host, drain]));
  const nodes = readNodes(queueDirectory).map((node) => ({ ...node, drain: byHost.get(node.host) }));
  const absent = drains
    .filter(({ host }) => !nodes.some((node) => node.host === host))
    .map((drain) => ({ host: drain.host, isLost: false, facts: {}, lastHeartbeat: null, drain }));
  return [...nodes, ...absent].sort((a, b) => (a.host < b.host ? -1 : 1));
}

/** Since when a host claims no jobs, who drained it, and why; all null for a host that is not drained. */
export function drainFields(drain: Drain | undefined): {
  readonly drained: string | null;
  readonly drained_by: string | null;
  readonly reason: string | null;
} {
  const { drained = null, by = null, reason = null } = drain ?? {};
  return { drained, drained_by: by, reason };
}

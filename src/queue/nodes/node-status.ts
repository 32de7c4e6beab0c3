import { join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { parseNeeds, type Resources } from '../../job/placement/needs.ts';
import { type UsedResources, usedByHost } from '../../store/counts/counts.ts';
import { duration } from '../duration.ts';
import type { Queue } from '../open.ts';
import { readServerClock } from '../server-clock.ts';
import { read } from '../transaction/read.ts';
import { drainFields, type HostRecords, hostRecordsIn, type KnownHost, knownHosts } from './drained-hosts.ts';
import { HEARTBEAT_MS, type Node } from './nodes.ts';

/** A node is silent after it has missed this many heartbeats. */
const MISSED_HEARTBEATS = 3;

/** A node as `status` prints it. */
export interface NodeSummary {
  readonly host: string;
  /**
   * `silent`: its heartbeats stopped; `lost`: another host declared it lost and ended its jobs; `absent`: it is drained, and
   * no feeder runs there.
   */
  readonly state: 'feeding' | 'silent' | 'lost' | 'absent';
  readonly slots: number | null;
  readonly running: number;
  readonly last_beat: string | null;
  /** Time since the last heartbeat, by the server's clock. */
  readonly age: string | null;
  /** Since when it is drained, by whom and why; only for a drained host. */
  readonly drained?: string | null;
  readonly drained_by?: string | null;
  readonly reason?: string | null;
}

/** Summarizes the nodes of a queue and the drained hosts. */
export function nodeSummaries(queue: Queue, { running, drains }: HostRecords): NodeSummary[] {
  const nodes = knownHosts(queue.directory, drains);
  const nowMs = nodes.length === 0 ? 0 : serverNowMs(queue);
  return nodes.map((node) => summary(node, running.get(node.host) ?? 0, nowMs));
}

/** Whether a node has missed its last heartbeats at `nowMs`, a time of the server's clock. */
export function isSilent({ facts, lastHeartbeat }: Node, nowMs: number): boolean {
  const intervalMs = Number(facts['beat']) * 1000 || HEARTBEAT_MS;
  return nowMs - Date.parse(lastHeartbeat) > MISSED_HEARTBEATS * intervalMs;
}

/** Reads the clock that stamps heartbeats. Falls back to the clock of this host if the queue is not writable. */
export function serverNowMs({ directory, clock }: Queue): number {
  try {
    return readServerClock(join(directory, 'nodes'), clock).nowMs;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return Date.parse(clock.now());
  }
}

function summary(node: KnownHost, running: number, nowMs: number): NodeSummary {
  const { host, lastHeartbeat, drain } = node;
  return {
    host,
    state: stateOf(node, nowMs),
    slots: countOf(node, 'slots'),
    running,
    last_beat: lastHeartbeat,
    age: lastHeartbeat === null ? null : duration(Math.max(0, nowMs - Date.parse(lastHeartbeat)) / 1000),
    ...(drain === undefined ? {} : drainFields(drain)),
  };
}

function stateOf({ lastHeartbeat, ...node }: KnownHost, nowMs: number): NodeSummary['state'] {
  if (lastHeartbeat === null) return 'absent';
  if (node.isLost) return 'lost';
  return isSilent({ ...node, lastHeartbeat }, nowMs) ? 'silent' : 'feeding';
}

/** A number in the file of a node; null if it has none. */
function countOf({ facts }: Pick<Node, 'facts'>, name: string): number | null {
  const count = Number(facts[name]);
  return facts[name] !== undefined && Number.isSafeInteger(count) ? count : null;
}

const NOTHING: UsedResources = { cpus: 0, memory: 0, gpus: 0 };

/** A node as `nodes` prints it. A feeder of an earlier version does not write what its host has. */
export interface NodeReport extends NodeSummary {
  readonly cpus: number | null;
  /** In bytes. */
  readonly memory: number | null;
  readonly gpus: number | null;
  /** Other resources. */
  readonly have: Resources | null;
  /** What the running jobs take. */
  readonly used: UsedResources;
  readonly pid: number | null;
  readonly version: string | null;
  readonly started: string | null;
  /** Why the feeder cannot read the login environment of jobs. */
  readonly login: string | null;
}

/** Describes the nodes of a queue and the drained hosts, in the order of their names. */
export async function nodeReports(queue: Queue): Promise<NodeReport[]> {
  const [{ running, drains }, used] = await read(queue, (connection) => [
    hostRecordsIn(connection),
    usedByHost(connection),
  ]);
  const nowMs = serverNowMs(queue);
  return knownHosts(queue.directory, drains).map((node) => {
    const { pid, version, started, login, have } = node.facts;
    return {
      ...summary(node, running.get(node.host) ?? 0, nowMs),
      cpus: countOf(node, 'cpus'),
      memory: countOf(node, 'memory'),
      gpus: countOf(node, 'gpus'),
      have: have === undefined ? null : parseNeeds(have),
      used: used.get(node.host) ?? NOTHING,
      pid: Number(pid) || null,
      version: version ?? null,
      started: started ?? null,
      login: login ?? null,
    };
  });
}

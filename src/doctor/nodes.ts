import { isSilent } from '../queue/nodes/node-status.ts';
import type { Node } from '../queue/nodes/nodes.ts';
import { type Finding, note, problem } from './finding.ts';

interface NodeContext {
  readonly queueDirectory: string;
  /** The time of the file server, which sets most mtimes of heartbeats. */
  readonly serverNowMs: number;
}

/** Nodes whose heartbeats are recent. */
export function liveNodes(nodes: readonly Node[], serverNowMs: number): Node[] {
  return nodes.filter((node) => !node.isLost && !isSilent(node, serverNowMs));
}

/** Reports silent and lost nodes without running jobs. `running` is the number of running jobs by host. */
export function silentNodeFindings(
  nodes: readonly Node[],
  running: ReadonlyMap<string, number>,
  { queueDirectory, serverNowMs }: NodeContext,
): Finding[] {
  const alive = liveNodes(nodes, serverNowMs);
  const silent = nodes.filter((node) => !alive.includes(node) && !running.has(node.host));
  return silent.map(({ host, isLost, lastHeartbeat }) =>
    note(
      `the feeder on ${host} has sent no heartbeat since ${lastHeartbeat}${isLost ? '; other feeders declared the host lost' : ''}`,
      'the feeder was killed, its host is down, or the host cannot reach the queue; no job is recorded as running there',
      `start the feeder on ${host} with: rq ${queueDirectory} start; if the host is permanently gone, remove ${queueDirectory}/nodes/${host}`,
    ),
  );
}

/** Reports jobs that run on hosts without a living feeder. `nodes`: all nodes that were seen while the jobs were read. */
export function runningFindings(
  nodes: readonly Node[],
  running: ReadonlyMap<string, number>,
  { queueDirectory, serverNowMs }: NodeContext,
): Finding[] {
  const alive = liveNodes(nodes, serverNowMs);
  return [...running].flatMap(([host, jobs]) => {
    if (alive.some((node) => node.host === host)) return [];
    const what = jobs === 1 ? '1 job is running' : `${jobs} jobs are running`;
    const seen = nodes.find((node) => node.host === host);
    const since = seen === undefined ? 'has no feeder' : `has sent no heartbeat since ${seen.lastHeartbeat}`;
    const found = `${what} on ${host}, which ${since}`;
    const start = `start the feeder on ${host} with: rq ${queueDirectory} start`;
    if (alive.length === 0) return [problem(found, 'no feeder is running that could declare the host lost', start)];
    const why =
      'other feeders declare the host lost after lost_after seconds (see rq help configure), and requeue or end its jobs';
    return [note(found, why, start)];
  });
}

/** Reports feeders that cannot read the login environment of their jobs. */
export function loginFindings(nodes: readonly Node[]): Finding[] {
  return nodes.flatMap(({ host, facts: { login } }) => {
    if (login === undefined) return [];
    const why = 'new jobs there get the environment that was read before, or that of the feeder, without your profiles';
    const advice = `run on ${host}: bash --login -c 'echo ok' </dev/null; when it prints ok, the feeder reads the profiles within two minutes`;
    return [problem(`on ${host}, ${login}`, why, advice)];
  });
}

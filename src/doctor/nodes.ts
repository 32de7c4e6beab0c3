import { isSilent } from '../queue/nodes/node-status.ts';
import type { Node } from '../queue/nodes/nodes.ts';
import { type Finding, note, problem } from './finding.ts';

interface Place {
  readonly queueDirectory: string;
  /** By the server's clock, as time stamps of beats mostly are. */
  readonly serverNowMs: number;
}

/** Nodes whose feeders are at work, as far as can be seen. */
export function living(nodes: readonly Node[], serverNowMs: number): Node[] {
  return nodes.filter((node) => !node.isLost && !isSilent(node, serverNowMs));
}

/** What it means that nodes are silent or lost. `running`: how many jobs each host runs; those are judged apart. */
export function judgeBeats(
  nodes: readonly Node[],
  running: ReadonlyMap<string, number>,
  { queueDirectory, serverNowMs }: Place,
): Finding[] {
  const alive = living(nodes, serverNowMs);
  const silent = nodes.filter((node) => !alive.includes(node) && !running.has(node.host));
  return silent.map(({ host, isLost, lastHeartbeat }) =>
    note(
      `no sign of life from the feeder of ${host} since ${lastHeartbeat}${isLost ? ', and others took it for lost' : ''}`,
      'it was killed, its host is down, or it cannot reach the queue; nothing is recorded as running there',
      `start it again there: rq ${queueDirectory} start; if the host is gone for good, remove its file in ${queueDirectory}/nodes`,
    ),
  );
}

/**
 * What it means that jobs run on hosts whose feeders are silent or not there. `nodes`: all that were seen of late. As
 * long as any feeder lives, the host will be taken for lost.
 */
export function judgeRunning(
  nodes: readonly Node[],
  running: ReadonlyMap<string, number>,
  { queueDirectory, serverNowMs }: Place,
): Finding[] {
  const alive = living(nodes, serverNowMs);
  const isWatched = alive.length > 0;
  return [...running].flatMap(([host, jobs]) => {
    if (alive.some((node) => node.host === host)) return [];
    const what = jobs === 1 ? '1 job runs' : `${jobs} jobs run`;
    const seen = nodes.find((node) => node.host === host);
    const since = seen === undefined ? 'has no feeder' : `has no sign of life since ${seen.lastHeartbeat}`;
    const found = `${what} on ${host}, which ${since}`;
    const start = `start the feeder there: rq ${queueDirectory} start`;
    if (!isWatched) return [problem(found, 'no feeder is there that could take that host for lost', start)];
    const why = 'other feeders take the host for lost after lost_after seconds (rq help configure), and end its jobs';
    return [note(found, why, start)];
  });
}

import type { Queue } from '../open.ts';
import { isSilent, serverNowMs } from './node-status.ts';
import { readNodes } from './nodes.ts';

/** A host that does not feed at the moment, and the time of its last heartbeat; null if it has left the queue. */
export interface SilentHost {
  readonly host: string;
  readonly since: string | null;
}

/** Those of the hosts that are silent, lost, or do not feed. */
export function silentHosts(queue: Queue, hosts: Iterable<string>): SilentHost[] {
  const nodes = readNodes(queue.directory);
  const nowMs = serverNowMs(queue);
  return [...hosts].sort().flatMap((host) => {
    const node = nodes.find((each) => each.host === host);
    if (node !== undefined && !node.isLost && !isSilent(node, nowMs)) return [];
    return [{ host, since: node?.lastHeartbeat ?? null }];
  });
}

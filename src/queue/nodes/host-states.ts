import { errorCode } from '../../job/errors.ts';
import { capacityOf } from '../../job/placement/why/capacity.ts';
import type { HostState } from '../../job/placement/why/facts.ts';
import type { Queue } from '../open.ts';
import { isSilent, serverNowMs } from './node-status.ts';
import { type Node, readNodes } from './nodes.ts';

/** The hosts that feed or fed from a queue, in the order of their names, and the time by the clock of the file server. */
export interface HostStates {
  readonly hosts: readonly HostState[];
  readonly serverNow: string;
}

/** Reads the files of the nodes. A copy of a queue may have no such files. */
export function hostStates(queue: Queue): HostStates {
  const nodes = existingNodes(queue.directory);
  const nowMs = nodes.length === 0 ? Date.parse(queue.clock.now()) : serverNowMs(queue);
  const states = nodes.map((node): HostState => {
    const { host, isLost, facts, lastHeartbeat } = node;
    return { host, isFeeding: !isLost && !isSilent(node, nowMs), lastHeartbeat, capacity: capacityOf(facts) };
  });
  return { hosts: states, serverNow: new Date(nowMs).toISOString() };
}

function existingNodes(directory: string): Node[] {
  try {
    return readNodes(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

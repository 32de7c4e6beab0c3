import type { Queue } from '../open.ts';
import { isSilent, serverNowMs } from './node-status.ts';
import { readNodes } from './nodes.ts';

/** The hosts that feed from the queue: this one, and those whose heartbeats are recent. */
export function feedingHosts(queue: Queue, host: string): string[] {
  const nowMs = serverNowMs(queue);
  const others = readNodes(queue.directory).filter((node) => !node.isLost && !isSilent(node, nowMs));
  return [...new Set([host, ...others.map((node) => node.host)])];
}

/** Whether any host feeds from the queue. */
export function hasFeeder(queue: Queue): boolean {
  const nodes = readNodes(queue.directory).filter((node) => !node.isLost);
  const nowMs = nodes.length === 0 ? 0 : serverNowMs(queue);
  return nodes.some((node) => !isSilent(node, nowMs));
}

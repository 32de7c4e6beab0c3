import { drainedHosts } from '../../store/control/hosts.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { isSilent, serverNowMs } from './node-status.ts';
import { readNodes } from './nodes.ts';

/** The hosts that feed from the queue: this one, and those whose heartbeats are recent. */
export function feedingHosts(queue: Queue, host: string): string[] {
  const nowMs = serverNowMs(queue);
  const others = readNodes(queue.directory).filter((node) => !node.isLost && !isSilent(node, nowMs));
  return [...new Set([host, ...others.map((node) => node.host)])];
}

/** Whether a host feeds from the queue, or all hosts that do are drained. */
export async function feedState(queue: Queue): Promise<'feeding' | 'drained' | 'none'> {
  const nodes = readNodes(queue.directory).filter((node) => !node.isLost);
  const nowMs = nodes.length === 0 ? 0 : serverNowMs(queue);
  const alive = nodes.filter((node) => !isSilent(node, nowMs));
  if (alive.length === 0) return 'none';
  const drained = new Set((await read(queue, drainedHosts)).map(({ host }) => host));
  return alive.every(({ host }) => drained.has(host)) ? 'drained' : 'feeding';
}

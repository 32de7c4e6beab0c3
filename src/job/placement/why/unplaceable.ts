import { matchesHost } from '../host-patterns.ts';
import type { Shape } from '../shape.ts';
import { shortagesOf } from './capacity.ts';
import type { HostState } from './facts.ts';
import { tooBigText } from './host-sentences.ts';

/**
 * Why no host that feeds can ever run a job, as text that follows "the job"; undefined if one can, or if no host feeds. A
 * host that the job names and that is only silent may come back.
 */
export function unplaceableText(shape: Shape, hosts: readonly HostState[]): string | undefined {
  if (!hosts.some(({ isFeeding }) => isFeeding)) return undefined;
  const { runners } = shape;
  const eligible = hosts.filter(({ host }) => runners === null || matchesHost(runners, host));
  if (eligible.length === 0) {
    return `may run only on ${(runners ?? '').replaceAll(',', ', ')}, and no such host feeds from this queue`;
  }
  const feeding = eligible.filter(({ isFeeding }) => isFeeding);
  const shortages = feeding.map(({ capacity }) => shortagesOf(shape, capacity));
  if (shortages.length === 0 || shortages.some((list) => list.length === 0)) return undefined;
  return tooBigText(shortages, runners !== null);
}

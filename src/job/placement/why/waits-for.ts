import { matchesHost } from '../host-patterns.ts';
import type { Shape } from '../shape.ts';
import { mergedShortages, requestedText, shortagesOf } from './capacity.ts';
import type { HostState } from './facts.ts';

/**
 * A host that a job of the shape needs and that does not feed: `host n7`, `a host with 32 cpus`. Undefined if a host that
 * feeds fits, and if nothing is known about the sizes of hosts because none feeds.
 */
export function missingHost(shape: Shape, hosts: readonly HostState[]): string | undefined {
  const { runners } = shape;
  const eligible = hosts.filter(({ host, isFeeding }) => {
    return isFeeding && (runners === null || matchesHost(runners, host));
  });
  if (runners !== null && eligible.length === 0) return `host ${runners.replaceAll(',', ', ')}`;
  const shortages = eligible.map(({ capacity }) => shortagesOf(shape, capacity));
  if (shortages.length === 0 || shortages.some((list) => list.length === 0)) return undefined;
  return `a host with ${requestedText(mergedShortages(shortages))}`;
}

import { matchesHost } from '../job/placement/host-patterns.ts';
import type { MayRun } from '../queue/exchange/exchange.ts';

/** As `matchesHost`, for one host. Remembers the results. */
export function mayRunOn(host: string): MayRun {
  const cache = new Map<string, boolean>();
  return (runners) => {
    const isMatch = cache.get(runners) ?? matchesHost(runners, host);
    cache.set(runners, isMatch);
    return isMatch;
  };
}

import { matchesHost } from '../host-patterns.ts';

/** Whether a host may run a job with these `runners`. */
export type HostMatcher = (runners: string | null, host: string) => boolean;

/** As `matchesHost`, and remembers the results: a pattern is slow to compile. */
export function hostMatcher(): HostMatcher {
  const known = new Map<string, boolean>();
  return (runners, host) => {
    if (runners === null) return true;
    const key = `${host} ${runners}`;
    const matches = known.get(key) ?? matchesHost(runners, host);
    known.set(key, matches);
    return matches;
  };
}

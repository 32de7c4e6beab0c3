import picomatch from 'picomatch';
import type { MayRun } from '../queue/exchange/exchange.ts';

/** Matches the `runners` of a job, comma-separated names or globs, against the full and the short name of a host. */
export function mayRunOn(host: string): MayRun {
  const names = [host, host.split('.', 1)[0] ?? host];
  const cache = new Map<string, boolean>();
  return (runners) => {
    const isMatch = cache.get(runners) ?? matches(runners, names);
    cache.set(runners, isMatch);
    return isMatch;
  };
}

function matches(runners: string, names: readonly string[]): boolean {
  const patterns = runners.split(',').map((pattern) => pattern.trim());
  return names.some((name) => picomatch.isMatch(name, patterns, { dot: true, nocase: true }));
}

import picomatch from 'picomatch';
import type { MayRun } from '../queue/exchange/exchange.ts';

/** Whether a host may run jobs with a constraint: names or globs, comma-separated, of its full or its short name. */
export function mayRunOn(host: string): MayRun {
  const names = [host, host.split('.', 1)[0] ?? host];
  const known = new Map<string, boolean>();
  return (runners) => {
    const answer = known.get(runners) ?? matches(runners, names);
    known.set(runners, answer);
    return answer;
  };
}

function matches(runners: string, names: readonly string[]): boolean {
  const patterns = runners.split(',').map((pattern) => pattern.trim());
  return names.some((name) => picomatch.isMatch(name, patterns, { dot: true, nocase: true }));
}

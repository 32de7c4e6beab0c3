import picomatch from 'picomatch';

/** Matches the `runners` of a job, comma-separated names or globs, against the full and the short name of a host. */
export function matchesHost(runners: string, host: string): boolean {
  const patterns = runners.split(',').map((pattern) => pattern.trim());
  const names = [host, host.split('.', 1)[0] ?? host];
  return names.some((name) => picomatch.isMatch(name, patterns, { dot: true, nocase: true }));
}

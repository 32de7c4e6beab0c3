import { expect } from 'vitest';
import type { Workbench } from './program.ts';

export interface Report {
  readonly status: number | null;
  readonly verdict: string;
  /** By the name of the check. */
  readonly checks: Record<string, string>;
  /** What was found, each as `check: level: words`. */
  readonly found: string[];
}

/** Runs `rq q doctor` to its end; whatever it finds, it says so in one document, and nothing on stderr is an error. */
export async function examine(
  bench: Workbench,
  words: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
): Promise<Report> {
  return readReport(await bench.run(['QUEUE', 'doctor', '--json', ...words], { environment }));
}

/** What the doctor printed as JSON. */
export function readReport({
  status,
  stdout,
  stderr,
}: {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}): Report {
  expect(stderr.replaceAll(/^rq: lease\.\d+ seems to be stale; .*\n/gm, '')).toBe('');
  const { verdict, checks, findings } = JSON.parse(stdout) as {
    verdict: string;
    checks: Record<string, string>;
    findings: Record<string, string>[];
  };
  const found = findings.map((finding) => {
    expect(finding['advice']).toMatch(/./);
    return `${finding['check']}: ${finding['level']}: ${finding['found']}`;
  });
  expect(status).toBe(verdict === 'problem' ? 1 : 0);
  return { status, verdict, checks, found };
}

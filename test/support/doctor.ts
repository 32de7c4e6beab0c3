import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createQueue } from '../../src/queue/create.ts';
import { FakeCrontab } from './fake-crontab.ts';
import { Workbench } from './program.ts';

export const LONG_AGO = new Date('2020-01-01');

/** A bench with a new queue and an empty crontab, for which `doctor` reports no finding. */
export async function benchWithQueue(): Promise<Workbench> {
  const bench = new Workbench();
  Object.assign(bench.environment, new FakeCrontab(bench.directory).environment);
  await createQueue(bench.queue, { access: 'private', locking: 'posix' });
  return bench;
}

/** Creates a file or directory whose times are years ago. */
export function plantOld(path: string, kind: 'file' | 'directory' = 'file'): void {
  if (kind === 'file') writeFileSync(path, '');
  else mkdirSync(path, { recursive: true });
  utimesSync(path, LONG_AGO, LONG_AGO);
}

/** All names below a directory with their modification times. */
export function stateOf(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((name) => `${name} ${statSync(join(directory, name)).mtimeMs}`);
}

export interface Report {
  readonly status: number | null;
  readonly verdict: string;
  /** The result of each check, by its name. */
  readonly checks: Record<string, string>;
  /** The findings, as `check: level: text`. */
  readonly found: string[];
}

/** Runs `rq q doctor --json` and reads its report. Nothing else may be printed. */
export async function examine(
  bench: Workbench,
  words: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
): Promise<Report> {
  return readReport(await bench.run(['QUEUE', 'doctor', '--json', ...words], { environment }));
}

/** Parses the JSON report of `doctor`, and checks that its exit status and advice match its findings. */
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

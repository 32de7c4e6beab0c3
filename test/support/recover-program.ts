import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import { temporaryDirectory } from './temporary-directory.ts';

/** Why `sqlite3 .recover` cannot be tested here, or undefined. Debian 12 builds sqlite3 without it. */
export const whyNoRecoverProgram = findReason();

function findReason(): string | undefined {
  const script = 'CREATE TABLE t (a); INSERT INTO t VALUES (1);\n.recover\n';
  const { error, stdout } = spawnSync('sqlite3', ['-batch', join(temporaryDirectory(), 'db')], {
    input: script,
    encoding: 'utf8',
  });
  if (error !== undefined) return 'sqlite3 is not installed';
  return stdout.includes('INSERT') ? undefined : 'sqlite3 was built without .recover';
}

/** Hides `sqlite3` from this process, until `vi.unstubAllEnvs`. */
export function hideRecoverProgram(): void {
  vi.stubEnv('PATH', dirname(process.execPath));
}

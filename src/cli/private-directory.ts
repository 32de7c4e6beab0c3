import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Makes a directory for this user alone in TMPDIR, hands its path to the work, and removes it whatever comes of that:
 * also at a signal, which then ends the process as it would have.
 */
export async function withPrivateDirectory<Result>(
  prefix: string,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  let directory: string | undefined;
  const clear = (): void => {
    for (const signal of SIGNALS) process.off(signal, end);
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  };
  const end = (signal: NodeJS.Signals): void => {
    try {
      clear();
    } finally {
      process.kill(process.pid, signal);
    }
  };
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    directory = mkdtempSync(join(tmpdir(), prefix));
    return await work(directory);
  } finally {
    clear();
  }
}

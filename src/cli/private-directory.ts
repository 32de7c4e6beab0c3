import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpAtSignal } from '../queue/files/clean-up-at-signal.ts';

/**
 * Creates a directory in TMPDIR that only this user can access, and removes it after the work. A signal removes it too,
 * and then ends the process with its default action.
 */
export async function withPrivateDirectory<Result>(
  prefix: string,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  let directory: string | undefined;
  const remove = (): void => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  };
  // Before the directory is created: without a listener, a signal would end the process and leave the directory.
  return await cleanUpAtSignal(remove, async () => {
    try {
      directory = mkdtempSync(join(tmpdir(), prefix));
      return await work(directory);
    } finally {
      remove();
    }
  });
}

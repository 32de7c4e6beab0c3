import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The program of that name that is first in PATH's absolute directories, or in one that is preferred if PATH has it: a
 * user's own may be on a share that hangs.
 */
export function findProgram(name: string, preferred: readonly string[] = []): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory.startsWith('/'));
  const ordered = [...directories.filter((directory) => preferred.includes(directory)), ...directories];
  return ordered.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

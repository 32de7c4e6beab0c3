import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Finds a program in the absolute directories of PATH. It searches the preferred ones among them first, because other
 * directories may be on a share that hangs.
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

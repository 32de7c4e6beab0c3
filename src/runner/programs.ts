import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The program of that name that is first in PATH's absolute directories. */
export function findProgram(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  const directories = path.split(delimiter).filter((directory) => directory.startsWith('/'));
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

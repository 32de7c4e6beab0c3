import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';

/**
 * Returns the current directory as the shell names it: other hosts know the path through symbolic links. Throws
 * INVALID_INPUT if the directory was removed or its name is not UTF-8.
 */
export function workingDirectory(environment: NodeJS.ProcessEnv): string {
  const logical = environment['PWD'] ?? '';
  try {
    const physical = process.cwd();
    if (isAbsolute(logical) && isCurrentDirectory(logical)) return resolve(logical);
    if (isCurrentDirectory(physical)) return physical;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    throw new RqError(
      'INVALID_INPUT',
      'cannot use the current directory: the directory was removed; change to another directory',
      {
        cause: error,
      },
    );
  }
  // Node replaces bytes that are not UTF-8, so the resulting path does not exist.
  throw new RqError(
    'INVALID_INPUT',
    'cannot use the current directory: the name of the directory is not UTF-8; change to another directory',
  );
}

function isCurrentDirectory(path: string): boolean {
  const [a, b] = [statSync(path, { throwIfNoEntry: false }), statSync('.')];
  return a !== undefined && a.dev === b.dev && a.ino === b.ino;
}

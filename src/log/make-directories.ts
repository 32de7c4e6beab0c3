import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../job/errors.ts';

/**
 * Creates a directory and its missing parents with mode 0700. Throws the errors of mkdir(2). The recursive mkdir of Node
 * never returns if mkdir(2) fails with ENOENT in a directory that exists, as in /proc and in maps of autofs.
 */
export function makeDirectories(path: string): void {
  try {
    makeOne(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirectories(dirname(path));
    makeOne(path);
  }
}

/** A directory that exists can be refused with EEXIST, EROFS or EACCES. */
function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

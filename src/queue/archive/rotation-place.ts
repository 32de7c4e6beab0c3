import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';
import { hasNoLinks } from '../files/hard-links.ts';

/** The errors of rename(2) and link(2) for a name that is taken. */
const TAKEN: readonly (string | undefined)[] = ['EEXIST', 'ENOTEMPTY', 'ENOTDIR'];

/**
 * Renames a complete rotation to its path, or to `PATH.2`, `PATH.3` … if that is taken. Never overwrites, not even what
 * this host does not see yet. Returns the name. Throws ENOENT if the rotation does not exist.
 */
export function placeRotation(partial: string, path: string): string {
  const isFile = lstatSync(partial).isFile();
  for (let number = 2, name = path; ; number++) {
    if (isFile ? linkAt(partial, name) : moveAt(partial, name)) return name;
    name = `${path}.${number}`;
  }
}

/** For a file, which rename(2) would overwrite. False if the name is taken. */
function linkAt(partial: string, name: string): boolean {
  try {
    linkSync(partial, name);
  } catch (error) {
    if (hasNoLinks(error)) return moveAt(partial, name);
    if (errorCode(error) !== 'EEXIST') throw error;
    // Another process places it now, or one was killed before it removed the first name.
    if (!isSameFile(partial, name)) return false;
  }
  rmSync(partial, { force: true });
  return true;
}

function isSameFile(partial: string, name: string): boolean {
  const [one, other] = [lstatSync(partial), lstatSync(name, { throwIfNoEntry: false })];
  return one.ino === other?.ino && one.dev === other.dev;
}

function moveAt(partial: string, name: string): boolean {
  if (lstatSync(name, { throwIfNoEntry: false }) !== undefined) return false;
  try {
    renameSync(partial, name);
    return true;
  } catch (error) {
    if (TAKEN.includes(errorCode(error))) return false;
    throw error;
  }
}

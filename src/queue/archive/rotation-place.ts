import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';
import { hasNoLinks } from '../files/job-files.ts';

/** What a rename or a link says where something has the name that is not to be overwritten. */
const TAKEN: readonly (string | undefined)[] = ['EEXIST', 'ENOTEMPTY', 'ENOTDIR'];

/**
 * Gives a complete rotation its name, or, where something came to be there since, one beside it: nothing is overwritten,
 * not even what this host does not see yet. Gives the name that it has; throws ENOENT where the rotation is not there.
 */
export function placeRotation(partial: string, path: string): string {
  const isFile = lstatSync(partial).isFile();
  for (let number = 2, name = path; ; number++) {
    if (isFile ? linkAt(partial, name) : moveAt(partial, name)) return name;
    name = `${path}.${number}`;
  }
}

/** Rename would overwrite a file. False where something else has the name. */
function linkAt(partial: string, name: string): boolean {
  try {
    linkSync(partial, name);
  } catch (error) {
    if (hasNoLinks(error)) return moveAt(partial, name);
    if (errorCode(error) !== 'EEXIST') throw error;
    // It has it if another places it just now, or one was killed before it removed the first name.
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

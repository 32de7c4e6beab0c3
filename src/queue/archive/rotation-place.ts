import { closeSync, linkSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { openFresh } from '../files/fresh-open.ts';
import { hasNoLinks } from '../files/hard-links.ts';
import { syncFile } from '../files/sync-file.ts';
import { READ_ONLY_MARK } from '../open.ts';
import { isArchive } from './rotation-archive.ts';

/** The errors of rename(2) and link(2) for a name that is taken. */
const TAKEN: readonly (string | undefined)[] = ['EEXIST', 'ENOTEMPTY', 'ENOTDIR'];

const IDENTITY = '.identity';

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

/** Records the identity of a complete rotation beside it, for `findPlaced`. Call it before the rotation is committed. */
export function recordIdentity(partial: string): void {
  const file = identityFile(partial);
  writeFileSync(file, identityOf(partial, partial) ?? '');
  syncFile(file);
  syncFile(dirname(file));
}

/**
 * The name that `placeRotation` gave to a rotation that is no longer in its temporary directory; undefined if it is not
 * there either.
 */
export function findPlaced(partial: string, path: string): string | undefined {
  const identity = readIfThere(identityFile(partial));
  // An NFS client may report a new name as missing until the directory is opened.
  syncFile(dirname(path));
  for (let number = 2, name = path; lstatSync(name, { throwIfNoEntry: false }) !== undefined; number++) {
    if (identity !== undefined && identity === identityOf(name, partial)) return name;
    name = `${path}.${number}`;
  }
  return undefined;
}

function identityFile(partial: string): string {
  return join(dirname(partial), IDENTITY);
}

/** The inode and size of an archive; the mark of a directory, which states the queue and the time of the rotation. */
function identityOf(name: string, partial: string): string | undefined {
  if (!isArchive(partial)) return readIfThere(join(name, READ_ONLY_MARK));
  const { ino, size } = lstatSync(name);
  return `${ino}:${size}`;
}

function readIfThere(path: string): string | undefined {
  try {
    const file = openFresh(path);
    if (file === undefined) return undefined;
    try {
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
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

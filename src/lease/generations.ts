import { chmodSync, constants, fstatSync, mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { withOpenFile } from '../job/open-file.ts';
import { giveTo, type Owner } from './owner.ts';

const MODE = 0o770;
const NAME = /^lease\.(\d{1,15})(\.free)?$/;

/** The state of a directory's lease, as the names in the directory state it. */
export interface Generations {
  /** The highest generation; 0 if there is none yet. */
  readonly highest: number;
  readonly isFree: boolean;
  /** Names of lower generations, which the holder of the lease removes. */
  readonly older: readonly string[];
  /** All names in the directory. */
  readonly names: readonly string[];
}

/**
 * Reads the directory. An NFS client asks the server for its attributes when it opens a directory (close-to-open
 * consistency). A client of version 4 then sees the current names. A client of version 3 can miss a change in the same
 * clock tick as one that it saw, until it changes the directory itself (docs/nfs.md). If both `lease.N` and
 * `lease.N.free` exist, N was released, and a slow contender left the former.
 */
export function readGenerations(directory: string): Generations {
  const names = readdirSync(directory);
  let highest = 0;
  const free = new Set<number>();
  const found: { name: string; generation: number }[] = [];
  for (const name of names) {
    const match = NAME.exec(name);
    if (match === null) continue;
    const generation = Number(match[1]);
    if (match[2] !== undefined) free.add(generation);
    highest = Math.max(highest, generation);
    found.push({ name, generation });
  }
  const older = found.filter((each) => each.generation < highest).map((each) => each.name);
  return { highest, isFree: highest === 0 || free.has(highest), older, names };
}

/**
 * Creates `lease.N`; false if it exists. `needsChmod`: the umask of this process hides it from the group. `owner`: who
 * has to be able to observe its sign of life, if root creates it.
 */
export function makeGeneration(
  directory: string,
  generation: number,
  needsChmod: boolean,
  owner: Owner | undefined,
): boolean {
  const path = join(directory, `lease.${generation}`);
  try {
    mkdirSync(path, { mode: MODE });
    if (needsChmod) chmodSync(path, MODE);
    if (owner !== undefined) giveTo(owner, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Marks `lease.N` as released. If it is gone, another process broke the lease and removed the name. */
export function freeGeneration(directory: string, generation: number): void {
  const path = join(directory, `lease.${generation}`);
  try {
    renameSync(path, `${path}.free`);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Removes names of generations, of which some may be gone. */
export function sweepGenerations(directory: string, names: readonly string[]): void {
  for (const name of names) {
    try {
      rmdirSync(join(directory, name));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }
}

/**
 * The last sign of life of the holder of `lease.N`: a value that changes with each refresh; undefined if there is no such
 * name. Opens it first, because a bare stat may be half a minute old on NFS.
 */
export function signOfLife(directory: string, generation: number): string | undefined {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  try {
    return withOpenFile(join(directory, `lease.${generation}`), flags, (file) => {
      const { ino, mtimeNs } = fstatSync(file, { bigint: true });
      return `${ino}:${mtimeNs}`;
    });
  } catch (error) {
    // ESTALE: it was removed after it was opened.
    if (['ENOENT', 'ESTALE'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * Changes the directory, so that an NFS client of any version discards what it has cached about the directory. Has no
 * effect where this user may not write.
 */
export function revalidateDirectory(directory: string): void {
  const path = join(directory, `.look.${process.pid}.${Math.random().toString(36).slice(2)}`);
  try {
    mkdirSync(path);
    rmdirSync(path);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')) throw error;
  }
}

import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { step } from '../job/waits.ts';

const NAME = /^lease\.(\d{1,15})(\.free)?$/;

/** What the names in a directory say about its lease. */
export interface Generations {
  /** The highest generation there is; 0 where there was none yet. */
  readonly highest: number;
  readonly isFree: boolean;
  /** Names of earlier generations, and of strays, which the holder sweeps. */
  readonly older: readonly string[];
  /** Every name in the directory, since whoever reads it wants to know those too. */
  readonly names: readonly string[];
}

/**
 * Reads the directory. To open one makes an NFS client ask the server for its attributes, whatever it has cached
 * (close-to-open consistency). With version 4 the answer is the server's; a client of version 3 can miss a change that
 * fell into the same clock tick as one it saw (docs/nfs.md), until it changes the directory itself. Where `lease.N` and `lease.N.free` both are there, N
 * was released and the former is left over from a contender that came too late.
 */
export function readGenerations(directory: string): Generations {
  const names = step(`reading the directory ${directory}`, () => readdirSync(directory));
  let highest = 0;
  const free = new Set<number>();
  const found: { name: string; generation: number; isFree: boolean }[] = [];
  for (const name of names) {
    const match = NAME.exec(name);
    if (match === null) continue;
    const generation = Number(match[1]);
    const isFree = match[2] !== undefined;
    if (isFree) free.add(generation);
    highest = Math.max(highest, generation);
    found.push({ name, generation, isFree });
  }
  const older = found.filter((each) => each.generation < highest).map((each) => each.name);
  return { highest, isFree: highest === 0 || free.has(highest), older, names };
}

/** Makes `lease.N`; false if it is there already. */
export function makeGeneration(directory: string, generation: number): boolean {
  try {
    step(`taking the lease of ${directory}`, () => mkdirSync(join(directory, `lease.${generation}`), { mode: 0o770 }));
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Marks `lease.N` as released; false if it is gone, because another broke the lease and swept it. */
export function freeGeneration(directory: string, generation: number): boolean {
  const path = join(directory, `lease.${generation}`);
  try {
    step(`releasing the lease of ${directory}`, () => renameSync(path, `${path}.free`));
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Removes names of generations; those that are gone already are no error. */
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
 * When the holder of `lease.N` last gave a sign of life: an opaque value that changes with each, undefined if there
 * is no such directory. It is opened first, for a bare stat may be half a minute old on NFS.
 */
export function signOfLife(directory: string, generation: number): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(join(directory, `lease.${generation}`), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { ino, mtimeNs } = fstatSync(descriptor, { bigint: true });
    return `${ino}:${mtimeNs}`;
  } finally {
    closeSync(descriptor);
  }
}

/** Makes an NFS client of any version ask for the directory anew, by changing it; of no effect where that is forbidden. */
export function forgetDirectory(directory: string): void {
  const path = join(directory, `.look.${process.pid}.${Math.random().toString(36).slice(2)}`);
  try {
    mkdirSync(path);
    rmdirSync(path);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')) throw error;
  }
}

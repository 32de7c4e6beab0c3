import { lstatSync, renameSync } from 'node:fs';
import { rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { runProgram } from '../../job/run-program.ts';
import { temporaryName } from './temporary-names.ts';

const AT_ONCE = 16;
const MAX_KEPT = 5;
/** The errors for a directory that its owner may not write to, or that another process writes to. */
const CLOSED_DIRECTORY: readonly (string | undefined)[] = ['EACCES', 'EPERM', 'ENOTEMPTY'];

/** Paths that could not be removed: their number, and the first of them. */
export class RemainingPaths {
  count = 0;
  readonly first: string[] = [];

  add(paths: readonly string[]): void {
    this.count += paths.length;
    this.first.push(...paths.slice(0, MAX_KEPT - this.first.length));
  }
}

/**
 * Removes files and directories, several at once. Returns the paths that could not be removed: no row refers to them any
 * more, so that the change itself has not failed. A path that does not exist is no error.
 */
export async function removePaths(paths: readonly string[]): Promise<string[]> {
  const remaining: string[] = [];
  for (let index = 0; index < paths.length; index += AT_ONCE) {
    const batch = paths.slice(index, index + AT_ONCE);
    const removed = await Promise.all(batch.map(removeOne));
    remaining.push(...batch.filter((_, at) => removed[at] === false));
  }
  return remaining;
}

/**
 * Removes a file or directory under a temporary name, so that the rest is swept if this process is killed, and nothing
 * can be added to the directory by its old path meanwhile.
 */
export async function removeRenamed(path: string): Promise<void> {
  const temporary = join(dirname(path), temporaryName());
  let left = temporary;
  try {
    renameSync(path, temporary);
  } catch (error) {
    // Another process removed it, or the disk is full.
    if (errorCode(error) === undefined) throw error;
    left = path;
  }
  await removePaths([left]);
}

async function removeOne(path: string): Promise<boolean> {
  const code = await removalError(path);
  if (code === undefined) return true;
  if (!CLOSED_DIRECTORY.includes(code) || lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    return false;
  await makeDirectoriesWritable(path);
  return (await removalError(path)) === undefined;
}

/** The code of the error; undefined if the path was removed. */
async function removalError(path: string): Promise<string | undefined> {
  try {
    await unlink(path).catch(async (error: unknown) => {
      if (errorCode(error) !== 'EISDIR') throw error;
      await rm(path, { recursive: true, force: true });
    });
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    return code === 'ENOENT' ? undefined : code;
  }
}

/** Makes a directory and those in it writable, as far as this user owns them. */
async function makeDirectoriesWritable(path: string): Promise<void> {
  const args = [path, '-type', 'd', '!', '-perm', '-700', '-exec', 'chmod', 'u+rwx', '{}', ';'];
  // If this fails, so does the removal that follows.
  await runProgram('find', args, { reject: false });
}

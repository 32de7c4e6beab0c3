import { lstatSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { execa } from 'execa';
import { errorCode } from '../../job/errors.ts';

const AT_ONCE = 16;
/** What a directory says that its owner may not write to, or that somebody writes to. */
const PERHAPS_CLOSED: readonly (string | undefined)[] = ['EACCES', 'EPERM', 'ENOTEMPTY'];

/**
 * Removes files and directories, several at once; what is not there is no error. Gives those that could not be removed:
 * no row names them any more, so that this is no reason to say that a change failed.
 */
export async function removePaths(paths: readonly string[]): Promise<string[]> {
  const stayed: string[] = [];
  for (let index = 0; index < paths.length; index += AT_ONCE) {
    const some = paths.slice(index, index + AT_ONCE);
    const removed = await Promise.all(some.map(removeOne));
    stayed.push(...some.filter((_, at) => removed[at] === false));
  }
  return stayed;
}

async function removeOne(path: string): Promise<boolean> {
  const code = await removalFault(path);
  if (code === undefined) return true;
  if (!PERHAPS_CLOSED.includes(code) || lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    return false;
  await openDirectories(path);
  return (await removalFault(path)) === undefined;
}

async function removalFault(path: string): Promise<string | undefined> {
  try {
    await rm(path, { recursive: true, force: true });
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

/** Lets this user, as far as they are theirs, write to a directory and those in it. */
async function openDirectories(path: string): Promise<void> {
  const words = [path, '-type', 'd', '!', '-perm', '-700', '-exec', 'chmod', 'u+rwx', '{}', ';'];
  // What it could not do shows when the directory is removed.
  await execa('find', words, { reject: false });
}

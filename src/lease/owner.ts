import { fchownSync, lchownSync } from 'node:fs';
import { errorCode } from '../job/errors.ts';

/** The user to whom root gives the files that it creates in the directory of that user. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The owner of a directory, by its attributes; undefined if this process is not root, or the directory belongs to root. */
export function ownerForRoot({ uid, gid }: Owner): Owner | undefined {
  return process.getuid?.() === 0 && uid !== 0 ? { uid, gid } : undefined;
}

/**
 * Gives a file, a link or a directory to a user, by its path or its descriptor. Has no effect in a container that does not
 * have this user.
 */
export function giveTo({ uid, gid }: Owner, file: string | Buffer | number): void {
  try {
    if (typeof file === 'number') fchownSync(file, uid, gid);
    else lchownSync(file, uid, gid);
  } catch (error) {
    if (!['EPERM', 'EINVAL'].includes(errorCode(error) ?? '')) throw error;
  }
}

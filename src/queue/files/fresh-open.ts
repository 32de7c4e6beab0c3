import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * Opens a file for reading as the server has it now; gives its descriptor, undefined where there is none. To open a
 * file makes an NFS client ask for its size (close-to-open); that there is none it may believe for half a minute or
 * more, until its directory is opened (measured, versions 3 and 4.2), and that a removed one is there until it is used (ESTALE).
 * Throws IO for a link or a device, which rq never puts there: it may lead anywhere.
 */
export function openFresh(path: string): number | undefined {
  try {
    return open(path);
  } catch (error) {
    if (errorCode(error) === 'ELOOP') throw strange(path);
    if (!isMissing(error)) throw error;
  }
  try {
    closeSync(openSync(dirname(path), O_RDONLY | O_DIRECTORY));
    return open(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function open(path: string): number {
  // Non-blocking: a pipe that somebody put there would wait for its writer.
  const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw strange(path);
}

function strange(path: string): RqError {
  return new RqError(
    'IO',
    `cannot open ${path}: it is no file but a link, a directory or a device, and rq puts none there`,
  );
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ESTALE'].includes(errorCode(error) ?? '');
}

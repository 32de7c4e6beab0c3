import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * Opens a file for reading in its current state on the server. Returns its descriptor, or undefined if there is no such
 * file. An NFS client asks the server for the size of a file that it opens (close-to-open). It can take a new file for
 * missing for half a minute or more, until its directory is opened (measured, versions 3 and 4.2), and a removed file for
 * existing until it reads it (ESTALE). Throws IO for a link or a device, which can lead anywhere: rq creates none there.
 */
export function openFresh(path: string): number | undefined {
  try {
    return open(path);
  } catch (error) {
    if (errorCode(error) === 'ELOOP') throw notRegularFile(path);
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
  // Non-blocking, because the open of a pipe waits for a writer.
  const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw notRegularFile(path);
}

function notRegularFile(path: string): RqError {
  return new RqError(
    'IO',
    `cannot open ${path}: the path is not a regular file; find out who replaced the file, and then remove it`,
  );
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ESTALE'].includes(errorCode(error) ?? '');
}

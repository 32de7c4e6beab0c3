import { closeSync, constants, fsyncSync, openSync, readdirSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const SLASH = Buffer.from('/');

/** Makes sure that what was written to a file or directory survives a power cut. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The same for a directory with all that is in it, as far as it may be read. */
export function syncTree(path: Buffer): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
      const child = Buffer.concat([path, SLASH, entry.name]);
      if (entry.isDirectory()) syncTree(child);
      else if (entry.isFile()) syncEntry(child);
    }
    syncEntry(path);
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') syncEntry(path);
    else if (errorCode(error) !== 'EACCES') throw error;
  }
}

function syncEntry(path: Buffer): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // Its owner may not read it either.
    if (errorCode(error) === 'EACCES') return;
    throw error;
  }
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

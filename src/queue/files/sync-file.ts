import { constants, fsyncSync, readdirSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';
import { withOpenFile } from '../../job/open-file.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const SLASH = Buffer.from('/');

/** Syncs a file or directory, so that it survives a power cut. */
export function syncFile(path: string): void {
  withOpenFile(path, 'r', fsyncSync);
}

/** Syncs a file, or a directory with all files in it that this user may read. */
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
  try {
    withOpenFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, fsyncSync);
  } catch (error) {
    // The mode of the original forbids its owner to read it.
    if (errorCode(error) !== 'EACCES') throw error;
  }
}

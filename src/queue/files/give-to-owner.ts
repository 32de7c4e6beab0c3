import { lstatSync, opendirSync } from 'node:fs';
import { giveTo, type Owner } from '../../lease/owner.ts';
import type { Queue } from '../open.ts';

const SLASH = Buffer.from('/');
/** Names are bytes and need not be UTF-8. This encoding maps each byte to one character. */
const BYTES = 'latin1';
const BUFFER_ENTRIES = 1_024;

/** Gives what root created at a path, with everything in it, to the owner of the queue. Otherwise has no effect. */
export function giveToOwner({ owner }: Queue, path: string): void {
  if (owner !== undefined) giveTree(owner, Buffer.from(path));
}

function giveTree(owner: Owner, path: Buffer): void {
  const stats = lstatSync(path);
  if (stats.isDirectory()) giveEntries(owner, path);
  // Last, so that the owner cannot replace the entries of a directory meanwhile. A hard link may be a file of another user.
  if (stats.uid === 0) giveTo({ uid: owner.uid, gid: stats.gid === 0 ? owner.gid : stats.gid }, path);
}

/** Reads the directory in parts, because the outputs of all jobs are in one. */
function giveEntries(owner: Owner, path: Buffer): void {
  const directory = opendirSync(path, { encoding: BYTES, bufferSize: BUFFER_ENTRIES });
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync())
      giveTree(owner, Buffer.concat([path, SLASH, Buffer.from(entry.name, BYTES)]));
  } finally {
    directory.closeSync();
  }
}

import { lstatSync, readdirSync } from 'node:fs';
import { giveTo, type Owner } from '../../lease/owner.ts';
import type { Queue } from '../open.ts';

const SLASH = Buffer.from('/');

/** Gives what root created at a path, with everything in it, to the owner of the queue. Otherwise has no effect. */
export function giveToOwner({ owner }: Queue, path: string): void {
  if (owner !== undefined) giveTree(owner, Buffer.from(path));
}

function giveTree(owner: Owner, path: Buffer): void {
  const stats = lstatSync(path);
  if (stats.isDirectory()) {
    for (const name of readdirSync(path, { encoding: 'buffer' })) giveTree(owner, Buffer.concat([path, SLASH, name]));
  }
  // Last, so that the owner cannot replace the entries of a directory meanwhile. A hard link may be a file of another user.
  if (stats.uid === 0) giveTo({ uid: owner.uid, gid: stats.gid === 0 ? owner.gid : stats.gid }, path);
}

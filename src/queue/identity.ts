import { statSync } from 'node:fs';
import { moveIdentity, readIdentity, renewIdentity, type StoredIdentity } from '../store/identity.ts';
import { lacksGeneration } from '../store/operations.ts';
import type { Queue } from './open.ts';
import { read } from './transaction/read.ts';
import { transaction } from './transaction/transaction.ts';

export interface Identity {
  readonly id: string;
  readonly inode: string;
  /** When this queue was copied from another one; undefined if it was not. */
  readonly copied: string | undefined;
}

/** The inode of a file. Throws ENOENT. */
export function inodeOf(path: string): string {
  return String(statSync(path, { bigint: true }).ino);
}

/** The identity that a database has stored. Takes no lease. */
export async function readQueueIdentity(queue: Queue): Promise<StoredIdentity> {
  return await read(queue, readIdentity);
}

/**
 * Determines which queue a database belongs to, before anything is run from it. A copy (a restored backup, `cp -a`) gets an
 * id of its own, because the journals of the original prove nothing about the attempts in the copy. A database is a copy if
 * its inode is not the recorded one, or if it lacks a transaction that this host has committed to the queue of this id:
 * `servedGeneration` returns the generation of the last one, 0 if there is none.
 */
export async function determineIdentity(queue: Queue, servedGeneration: (id: string) => number): Promise<Identity> {
  const inode = inodeOf(queue.database);
  const { id = '' } = await readQueueIdentity(queue);
  // Before the database is read again: a feeder of this host may commit in between.
  const served = servedGeneration(id);
  const stored = await read(queue, (connection) => {
    const isOlder = served > 0 && lacksGeneration(connection, served);
    return { ...readIdentity(connection), isOlder };
  });
  const hasOtherInode = stored.inode !== undefined && stored.inode !== inode;
  const isCopy = stored.id !== undefined && (hasOtherInode || stored.isOlder);
  if (stored.id !== undefined && stored.inode === inode && !isCopy) return { ...stored, id: stored.id, inode };
  return await transaction(queue, ({ connection }) => {
    const current = readIdentity(connection);
    // Another host may have been faster.
    if (current.id !== undefined && current.inode === inode && current.id !== stored.id) {
      return { ...current, id: current.id, inode };
    }
    if (current.id !== undefined && !isCopy) {
      moveIdentity(connection, inode);
      return { ...current, id: current.id, inode };
    }
    const copied = isCopy ? queue.clock.now() : current.copied;
    return { id: renewIdentity(connection, { inode, copied }), inode, copied };
  });
}

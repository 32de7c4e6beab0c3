import { randomUUID } from 'node:crypto';
import { readAttributes, writeAttribute } from './attributes.ts';
import type { Connection } from './connection.ts';

/** What distinguishes a queue from its copies. It is kept in the attributes. */
export interface StoredIdentity {
  /** Undefined in a database of an older version that was not fed since. */
  readonly id: string | undefined;
  /** The inode of the database file; undefined in a copy that no feeder has opened yet. */
  readonly inode: string | undefined;
  /** When this database was copied from another queue. Undefined if it was not. */
  readonly copied: string | undefined;
}

export function readIdentity(connection: Connection): StoredIdentity {
  const attributes = readAttributes(connection);
  return { id: attributes.get('id'), inode: attributes.get('inode'), copied: attributes.get('copied') };
}

/** Gives a database an id of its own. `copied` is the time if it is a copy. */
export function renewIdentity(connection: Connection, { inode, copied }: Omit<StoredIdentity, 'id'>): string {
  const id = randomUUID();
  writeAttribute(connection, 'id', id);
  writeAttribute(connection, 'inode', inode ?? null);
  writeAttribute(connection, 'copied', copied ?? null);
  return id;
}

/** Records the inode of the database file, which has changed although the queue is the same. */
export function moveIdentity(connection: Connection, inode: string): void {
  writeAttribute(connection, 'inode', inode);
}

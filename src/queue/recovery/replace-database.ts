import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';
import { fileError } from '../../job/file-errors.ts';
import type { Lease } from '../../lease/lease.ts';
import { Connection } from '../../store/connection.ts';
import { moveIdentity } from '../../store/identity.ts';
import { SCHEMA } from '../../store/schema.ts';
import { syncFile } from '../files/sync-file.ts';
import { inodeOf } from '../identity.ts';
import type { Queue } from '../open.ts';

const TEMPORARY = 'db.recovering.';
const CHUNK_BYTES = 1024 * 1024;
/** Overwrites the header of a replaced database, so that open connections get SQLITE_NOTADB. */
const INVALID_HEADER = Buffer.alloc(100, 'replaced by rq recover; ');

/** A name for a temporary database in the queue directory. The holder of the lease may remove files of such names. */
export function temporaryDatabase(directory: string): string {
  return join(directory, `${TEMPORARY}${randomUUID()}`);
}

/** Removes the temporary files of a killed `recover`. Call it under the lease. */
export function sweepTemporary(directory: string): void {
  for (const name of readdirSync(directory)) if (name.startsWith(TEMPORARY)) rmSync(join(directory, name));
}

/** Opens the database file without SQLite, to copy it and to overwrite its header. Throws NOT_ALLOWED or IO. */
export function openDatabase({ database }: Queue, action = 'recover'): number {
  try {
    return openSync(database, 'r+');
  } catch (error) {
    throw fileError(error, `${action} ${database}`);
  }
}

/**
 * Copies an open file to a new name, with its mode and if possible its owner, and syncs the copy. Uses the given
 * descriptor, because closing another one would drop SQLite's locks on the file in this process. Throws NO_SPACE.
 */
export function copyOpenFile(descriptor: number, target: string, lease: Lease): void {
  const copy = openSync(target, 'wx', 0o600);
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let position = 0;
    for (;;) {
      const length = readSync(descriptor, chunk, 0, chunk.length, position);
      if (length === 0) break;
      writeAll(copy, chunk.subarray(0, length));
      position += length;
      lease.refresh();
    }
    fsyncSync(copy);
  } catch (error) {
    throw error instanceof RqError ? error : fileError(error, `copy the database to ${target}`);
  } finally {
    closeSync(copy);
  }
  copyAccess(descriptor, target);
}

/** The path of a copy of the database in the queue directory. `kind` states what the copy contains. */
export function keptPath({ directory, clock }: Queue, kind: string): string {
  return join(directory, `db.${kind}.${clock.now().replaceAll(/[-:.]/g, '')}`);
}

/** Copies the database to `path`, completely or not at all, and syncs it. */
export function keepCopy(queue: Queue, descriptor: number, path: string, lease: Lease): void {
  const temporary = temporaryDatabase(queue.directory);
  try {
    copyOpenFile(descriptor, temporary, lease);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFile(queue.directory);
}

/** Replaces `db.schema` with the schema of this rq. `descriptor`: the open database, whose mode and owner the file gets. */
export function replaceSchemaText({ directory }: Queue, descriptor: number): void {
  const temporary = temporaryDatabase(directory);
  try {
    writeFileSync(temporary, SCHEMA.trimStart(), { flag: 'wx', mode: 0o600 });
    copyAccess(descriptor, temporary);
    renameSync(temporary, join(directory, 'db.schema'));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileError(error, `replace ${join(directory, 'db.schema')}`);
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
}

/** Gives a file the mode of an open file, and its owner if that is permitted. */
export function copyAccess(descriptor: number, path: string): void {
  const { mode, uid, gid } = fstatSync(descriptor);
  try {
    chownSync(path, uid, gid);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') throw error;
  }
  chmodSync(path, mode & 0o777);
}

/** Records the inode of the new file: the queue stays the same. */
function moveTo(replacement: string): void {
  const connection = Connection.open(replacement, { busyMs: 0 });
  try {
    moveIdentity(connection, inodeOf(replacement));
  } catch (error) {
    // The copy that break-locks makes can be damaged. The next feeder then treats it as a copy of the queue.
    if (errorCode(error)?.startsWith('SQLITE_') !== true) throw error;
  } finally {
    connection.close();
  }
}

/**
 * Replaces the database that `descriptor` has open with a finished one, if the lease is still owned; otherwise throws
 * BUSY. Then overwrites the header of the old file, so that processes that have it open notice at their next transaction.
 */
export function replaceDatabase(queue: Queue, descriptor: number, replacement: string, lease: Lease): void {
  copyAccess(descriptor, replacement);
  moveTo(replacement);
  syncFile(replacement);
  if (!lease.isOwned()) {
    throw new RqError('BUSY', `cannot recover ${queue.database}: the lease was lost; nothing was changed; try again`);
  }
  renameSync(replacement, queue.database);
  syncFile(queue.directory);
  writeSync(descriptor, INVALID_HEADER, 0, INVALID_HEADER.length, 0);
  fsyncSync(descriptor);
}

import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../job/clock.ts';
import { errorCode, errorMessage, RqError } from '../job/errors.ts';
import { writeAttribute } from '../store/attributes.ts';
import { Connection, storeError } from '../store/connection.ts';
import { syncFile } from './files/sync-file.ts';
import { sweepAbandoned, temporaryName } from './files/temporary-names.ts';
import { createLayout } from './layout.ts';
import { lockProblem, mountOf } from './mount.ts';
import { LEASE_LOCKING_MARK, type Locking } from './open.ts';

const MODES = { private: { directory: 0o700, file: 0o600 }, group: { directory: 0o2770, file: 0o660 } } as const;

export interface CreatedQueue {
  readonly path: string;
  readonly database: string;
  readonly locking: Locking;
  /** The type of its file system. */
  readonly mount: string;
}

/**
 * Creates a queue under a temporary name and renames it, so that an incomplete queue is never seen. Throws QUEUE_EXISTS
 * for a path that exists and is not an empty directory, QUEUE_UNSAFE for a mount without locks, NOT_ALLOWED, NO_SPACE or
 * IO.
 */
export async function createQueue(
  path: string,
  options: { access: 'private' | 'group'; locking: Locking },
): Promise<CreatedQueue> {
  const directory = resolve(path);
  refuseOccupied(directory);
  const parent = dirname(directory);
  try {
    const mount = mountOf(parent);
    refuseWithoutLocks(directory, lockProblem(mount), options.locking);
    const temporary = join(parent, temporaryName());
    try {
      sweepAbandoned(parent);
      fill(temporary, options);
      renameSync(temporary, directory);
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      throw error;
    }
    syncFile(parent);
    return { path: directory, database: join(directory, 'db'), locking: options.locking, mount: mount.type };
  } catch (error) {
    throw createError(directory, error);
  }
}

function fill(directory: string, { access, locking }: { access: 'private' | 'group'; locking: Locking }): void {
  mkdirSync(directory, { mode: 0o700 });
  // mkdir(2) ignores the set-group-id bit, which gives new files the group of the directory.
  chmodSync(directory, MODES[access].directory);
  createLayout(directory, 0);
  if (locking === 'lease') writeFileSync(join(directory, LEASE_LOCKING_MARK), '');
  makeDatabase(join(directory, 'db'));
  // The modes of new files depend on the umask and on SQLite.
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    chmodSync(join(directory, entry.name), entry.isDirectory() ? MODES[access].directory : MODES[access].file);
  }
}

function makeDatabase(path: string): void {
  const connection = Connection.open(path, { create: true, busyMs: 0 });
  try {
    connection.execute('BEGIN IMMEDIATE');
    connection.migrate();
    writeAttribute(connection, 'created', systemClock.now());
    connection.execute('COMMIT');
  } finally {
    // An open file on NFS cannot be removed: after an error, the temporary directory would remain.
    connection.close();
  }
}

function refuseOccupied(directory: string): void {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    if (errorCode(error) !== 'ENOTDIR') throw createError(directory, error);
    throw new RqError('QUEUE_EXISTS', `cannot create a queue at ${directory}: it is a file; name another path`);
  }
  if (names.length === 0) return;
  const what = names.includes('db') ? 'it is a queue already' : 'the directory is not empty';
  throw new RqError('QUEUE_EXISTS', `cannot create a queue at ${directory}: ${what}; name another path`);
}

function refuseWithoutLocks(directory: string, problem: string | undefined, locking: Locking): void {
  if (problem === undefined || locking === 'lease') return;
  throw new RqError(
    'QUEUE_UNSAFE',
    `cannot create a queue at ${directory}: ${problem}; if you cannot, use --locking lease; docs/nfs.md describes its risk`,
  );
}

function createError(directory: string, error: unknown): unknown {
  if (error instanceof RqError) return error;
  const attempted = `cannot create a queue at ${directory}`;
  const details = { cause: error, facts: { directory } };
  switch (errorCode(error)) {
    case 'ENOENT':
      return new RqError(
        'NOT_ALLOWED',
        `${attempted}: its parent directory does not exist; create that first`,
        details,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new RqError('NOT_ALLOWED', `${attempted}: no permission to write to ${dirname(directory)}`, details);
    case 'EEXIST':
    case 'ENOTEMPTY':
      return new RqError('QUEUE_EXISTS', `${attempted}: another process created it first; look what it is`, details);
    case 'ENOSPC':
    case 'EDQUOT':
      return new RqError('NO_SPACE', `${attempted}: the disk or your quota is full; make room and try again`, details);
    case undefined:
      return error;
    default: {
      const translated = storeError(error, join(directory, 'db'));
      if (translated !== error) return translated;
      return new RqError('IO', `${attempted}: ${errorMessage(error)}`, details);
    }
  }
}

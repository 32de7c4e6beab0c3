import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../job/clock.ts';
import { errorCode, RqError } from '../job/errors.ts';
import { writeAttribute } from '../store/attributes.ts';
import { Connection, storeError } from '../store/connection.ts';
import { renewIdentity } from '../store/identity.ts';
import { createAtomically, targetError } from './files/create-atomically.ts';
import { inodeOf } from './identity.ts';
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

const ATTEMPTED = 'create a queue at';

/**
 * Creates a queue completely or not at all. Throws QUEUE_EXISTS for a path that exists and is not an empty directory,
 * QUEUE_UNSAFE for a mount without locks, NOT_ALLOWED, NO_SPACE or IO.
 */
export async function createQueue(
  path: string,
  { access, locking }: { access: 'private' | 'group'; locking: Locking },
): Promise<CreatedQueue> {
  const fill = (directory: string): void => {
    refuseWithoutLocks(resolve(path), lockProblem(mountOf(directory)), locking);
    // mkdir(2) ignores the set-group-id bit, which gives new files the group of the directory.
    chmodSync(directory, MODES[access].directory);
    createLayout(directory, 0);
    if (locking === 'lease') writeFileSync(join(directory, LEASE_LOCKING_MARK), '');
    try {
      makeDatabase(join(directory, 'db'));
    } catch (error) {
      throw storeError(error, join(resolve(path), 'db'));
    }
    // The modes of new files depend on the umask and on SQLite.
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      chmodSync(join(directory, entry.name), entry.isDirectory() ? MODES[access].directory : MODES[access].file);
    }
  };
  const directory = await createAtomically(path, ATTEMPTED, fill, refuseOccupied);
  return { path: directory, database: join(directory, 'db'), locking, mount: mountOf(directory).type };
}

function makeDatabase(path: string): void {
  const connection = Connection.open(path, { create: true, busyMs: 0 });
  try {
    connection.execute('BEGIN IMMEDIATE');
    connection.migrate();
    writeAttribute(connection, 'created', systemClock.now());
    renewIdentity(connection, { inode: inodeOf(path), copied: undefined });
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
    if (errorCode(error) !== 'ENOTDIR') throw targetError(error, directory, ATTEMPTED);
    throw new RqError('QUEUE_EXISTS', `cannot ${ATTEMPTED} ${directory}: the path is a file; name another path`);
  }
  if (names.length === 0) return;
  const state = names.includes('db') ? 'the directory is already a queue' : 'the directory is not empty';
  throw new RqError('QUEUE_EXISTS', `cannot ${ATTEMPTED} ${directory}: ${state}; name another path`);
}

function refuseWithoutLocks(directory: string, problem: string | undefined, locking: Locking): void {
  if (problem === undefined || locking === 'lease') return;
  throw new RqError(
    'QUEUE_UNSAFE',
    `cannot ${ATTEMPTED} ${directory}: ${problem}; or use --locking lease (docs/nfs.md describes the risk)`,
  );
}

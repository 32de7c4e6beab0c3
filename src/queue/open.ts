import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../job/clock.ts';
import { errorCode, errorMessage, RqError } from '../job/errors.ts';
import { step } from '../job/waits.ts';
import { forgetDirectory } from '../lease/generations.ts';
import { Connection } from '../store/connection.ts';
import { type Mount, mountOf } from './mount.ts';
import { LeaseHistory } from './transaction/lease-history.ts';

export type Locking = 'posix' | 'lease';

/** In a queue with `--locking lease`; its name is seen by who reads the directory, before the database is opened. */
export const LEASE_LOCKING_MARK = 'locking.lease';
/** In a copy that is only to be read: a snapshot or a rotation. To feed from it would run jobs a second time. */
export const READ_ONLY_MARK = 'read-only';
/** How long SQLite itself waits for a lock before it gives up a step; longer waits are ours, in `transaction`. */
const BUSY_MS = 1_000;

export interface QueueOptions {
  /** How long to wait for the lease and for locks, in milliseconds. */
  readonly lockTimeoutMs: number;
  readonly clock?: Clock;
  readonly staleMs?: number;
  /** A private copy of the database to read from in place of the queue's. */
  readonly copy?: string;
}

/** An open queue. Its connection is made when it is first needed, and kept where the locks of the mount can be trusted. */
export class Queue {
  readonly directory: string;
  readonly locking: Locking;
  readonly lockTimeoutMs: number;
  readonly clock: Clock;
  readonly staleMs: number | undefined;
  readonly leases = new LeaseHistory();
  private connection: Connection | undefined;
  private mount: Mount | undefined;
  /** Why nothing may be changed here; undefined where it may. */
  readonly readOnly: string | undefined;
  readonly database: string;

  constructor(directory: string, locking: Locking, options: QueueOptions & { readOnly?: string | undefined }) {
    this.directory = directory;
    this.database = options.copy ?? join(directory, 'db');
    this.readOnly = options.copy === undefined ? options.readOnly : 'it is opened as a snapshot';
    this.locking = locking;
    this.lockTimeoutMs = options.lockTimeoutMs;
    this.clock = options.clock ?? systemClock;
    this.staleMs = options.staleMs;
  }

  /** Whether there is a connection, that is, one from before: `recover` may have put another file in its place. */
  get isOpen(): boolean {
    return this.connection !== undefined;
  }

  /** The connection; one that may write, if it is to. Only `transaction` and `read` ask for it. */
  connect(access: 'read' | 'write'): Connection {
    if (access === 'write' && this.connection?.isReadOnly === true) this.close();
    this.connection ??= this.open(access);
    return this.connection;
  }

  private open(access: 'read' | 'write'): Connection {
    const connection = Connection.open(this.database, { readOnly: access === 'read', busyMs: BUSY_MS });
    // Without locks nothing may be in the file before the commit: a rollback after the lease was lost would write there.
    if (this.locking === 'lease') connection.execute('PRAGMA cache_spill = OFF');
    return connection;
  }

  /** Makes this host's NFS client forget what it believed of the files here, whether there is a journal above all. */
  forgetFiles(): void {
    if (this.database !== join(this.directory, 'db')) return;
    this.mount ??= mountOf(this.directory);
    // Version 3: to read the directory is not enough there.
    if (this.mount.type === 'nfs') forgetDirectory(this.directory);
    readdirSync(this.directory);
  }

  /** Closes the connection; the next use opens it anew. What SQLite says to that is of no interest any more. */
  close(): void {
    const { connection } = this;
    this.connection = undefined;
    try {
      connection?.close();
    } catch (error) {
      if (errorCode(error)?.startsWith('SQLITE_') !== true) throw error;
    }
  }
}

/** Opens the queue in a directory. Throws NO_QUEUE or NOT_ALLOWED; the database itself is looked at on first use. */
export async function openQueue(path: string, options: QueueOptions): Promise<Queue> {
  const directory = resolve(path);
  const names = namesIn(directory);
  if (!names.includes('db')) {
    throw new RqError('NO_QUEUE', `no queue at ${directory}: there is no db in it; make one with: rq ${path} create`);
  }
  const isShared = (statSync(directory).mode & 0o020) !== 0;
  // In a queue of a group every file must be writable to the group, whatever this user's umask says.
  if (isShared) process.umask(process.umask() & 0o707);
  const readOnly = names.includes(READ_ONLY_MARK) ? 'it is a snapshot or a rotation, only to be read' : undefined;
  const needsLease = options.copy === undefined && names.includes(LEASE_LOCKING_MARK);
  return new Queue(directory, needsLease ? 'lease' : 'posix', { ...options, readOnly });
}

function namesIn(directory: string): string[] {
  try {
    return step(`reading the directory ${directory}`, () => readdirSync(directory));
  } catch (error) {
    const details = { cause: error, facts: { directory } };
    switch (errorCode(error)) {
      case 'ENOENT':
        throw new RqError('NO_QUEUE', `no queue at ${directory}: make one with: rq ${directory} create`, details);
      case 'ENOTDIR':
        throw new RqError('NO_QUEUE', `no queue at ${directory}: it is a file, and a queue is a directory`, details);
      case 'EACCES':
        throw new RqError('NOT_ALLOWED', `cannot read the queue ${directory}: you may not; ask its owner`, details);
      default:
        throw new RqError('IO', `cannot read the queue ${directory}: ${errorMessage(error)}`, details);
    }
  }
}

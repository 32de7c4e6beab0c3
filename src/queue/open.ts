import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Activity } from '../job/activity.ts';
import { type Clock, systemClock } from '../job/clock.ts';
import { errorCode, RqError } from '../job/errors.ts';
import { fileError } from '../job/file-errors.ts';
import { revalidateDirectory } from '../lease/generations.ts';
import { LeaseClient } from '../lease/lease-client.ts';
import { type Owner, ownerForRoot } from '../lease/owner.ts';
import { Connection } from '../store/connection.ts';
import { type Mount, mountOf } from './mount.ts';

export type Locking = 'posix' | 'lease';

/** A file in a queue with `--locking lease`. It must be known before the database is opened. */
export const LEASE_LOCKING_MARK = 'locking.lease';
/** A file in a read-only copy: a snapshot or a rotation. A feeder would run its jobs a second time. */
export const READ_ONLY_MARK = 'read-only';
/** How long SQLite waits for a lock. `transaction` and `read` start over after this time. */
const BUSY_MS = 1_000;
const GROUP_WRITES = 0o020;

export interface QueueOptions {
  /** How long to wait for the lease and for locks, in milliseconds. */
  readonly lockTimeoutMs: number;
  readonly clock?: Clock;
  readonly staleMs?: number;
  /** Records what the process does with the queue. Without it, long waits are not reported. */
  readonly activity?: Activity;
  /** A private copy of the database to read instead of the queue's. */
  readonly copy?: string;
}

/** What `openQueue` finds out before it makes a queue. */
interface QueueFacts {
  readonly activity: Activity;
  readonly isShared: boolean;
  readonly owner: Owner | undefined;
  readonly readOnly: string | undefined;
}

/** An open queue. Its connection is opened on first use, and kept if the locks of the mount can be trusted. */
export class Queue {
  readonly directory: string;
  readonly locking: Locking;
  readonly lockTimeoutMs: number;
  readonly clock: Clock;
  readonly activity: Activity;
  readonly leases: LeaseClient;
  private connection: Connection | undefined;
  private mount: Mount | undefined;
  /** Whether a group shares the queue, so that its members must be able to read and write every file. */
  readonly isShared: boolean;
  /** The user to whom this process gives the files that it creates; undefined unless root uses the queue of another user. */
  readonly owner: Owner | undefined;
  /** Why the queue may not be changed; undefined if it may. */
  readonly readOnly: string | undefined;
  readonly database: string;

  constructor(directory: string, locking: Locking, options: QueueOptions & QueueFacts) {
    this.directory = directory;
    this.database = options.copy ?? join(directory, 'db');
    this.readOnly = options.copy === undefined ? options.readOnly : 'the queue is open as a snapshot';
    this.locking = locking;
    this.isShared = options.isShared;
    this.owner = options.owner;
    this.lockTimeoutMs = options.lockTimeoutMs;
    this.clock = options.clock ?? systemClock;
    this.activity = options.activity;
    const { clock, activity, isShared, owner } = this;
    this.leases = new LeaseClient(directory, { clock, staleMs: options.staleMs, activity, isShared, owner });
  }

  /** Whether a connection is open. `recover` may have replaced the database since it was opened. */
  get isOpen(): boolean {
    return this.connection !== undefined;
  }

  /** The connection, writable if asked for. For `transaction` and `read` only. */
  connect(access: 'read' | 'write'): Connection {
    if (access === 'write' && this.connection?.isReadOnly === true) this.close();
    this.connection ??= this.open(access);
    return this.connection;
  }

  private open(access: 'read' | 'write'): Connection {
    const connection = Connection.open(this.database, { readOnly: access === 'read', busyMs: BUSY_MS });
    // Without locks, no page may be in the file before the commit: a rollback after the lease was lost would write it.
    if (this.locking === 'lease') connection.execute('PRAGMA cache_spill = OFF');
    return connection;
  }

  /** Makes the NFS client discard what it has cached about the files here, above all whether there is a journal. */
  revalidateDirectory(): void {
    if (this.database !== join(this.directory, 'db')) return;
    this.mount ??= mountOf(this.directory);
    // With version 3, reading the directory is not enough.
    if (this.mount.type === 'nfs') revalidateDirectory(this.directory);
    readdirSync(this.directory);
  }

  /** Closes the connection; the next use opens another one. Errors of SQLite at this point have no consequence. */
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

/** Opens the queue in a directory. Throws NO_QUEUE or NOT_ALLOWED. The database is opened on first use. */
export async function openQueue(path: string, options: QueueOptions): Promise<Queue> {
  const directory = resolve(path);
  const activity = options.activity ?? new Activity();
  const names = activity.during(`reading the directory ${directory}`, () => namesIn(directory));
  if (!names.includes('db')) {
    throw new RqError(
      'NO_QUEUE',
      `no queue at ${directory}: the directory contains no database; create a queue with: rq ${path} create`,
    );
  }
  const stats = statSync(directory);
  const isShared = (stats.mode & GROUP_WRITES) !== 0;
  const owner = ownerForRoot(stats);
  const readOnly = names.includes(READ_ONLY_MARK) ? 'the queue is a read-only snapshot or rotation' : undefined;
  const needsLease = options.copy === undefined && names.includes(LEASE_LOCKING_MARK);
  return new Queue(directory, needsLease ? 'lease' : 'posix', { ...options, activity, isShared, owner, readOnly });
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw fileError(error, `read the queue ${directory}`);
    const reason =
      code === 'ENOENT' ? `create one with: rq ${directory} create` : 'the path is a file, not a directory';
    throw new RqError('NO_QUEUE', `no queue at ${directory}: ${reason}`, { cause: error });
  }
}

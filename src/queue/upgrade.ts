import { closeSync, rmSync } from 'node:fs';
import { RqError } from '../job/errors.ts';
import type { Lease } from '../lease/lease.ts';
import { type Connection, storeError } from '../store/connection.ts';
import { SCHEMA_VERSION } from '../store/schema.ts';
import { addFolders } from './layout.ts';
import type { Queue } from './open.ts';
import { lockDatabase } from './recovery/lock-database.ts';
import { keepCopy, keptPath, openDatabase, replaceSchemaText } from './recovery/replace-database.ts';
import { read, requireCurrentSchema } from './transaction/read.ts';
import { refuseReadOnly, transaction } from './transaction/transaction.ts';

export interface Upgrade {
  /** The schema of the queue now and before. */
  readonly schema: number;
  readonly before: number;
  /** Path of the copy of the database as it was before; null if the schema was current. */
  readonly copy: string | null;
}

/**
 * Migrates the database of a queue to the schema of this rq, after a copy of the file beside it. Both happen under one
 * lease, so that the copy contains every earlier transaction. Throws QUEUE_VERSION, QUEUE_DAMAGED, BUSY, NO_SPACE or IO.
 */
export async function upgradeQueue(queue: Queue): Promise<Upgrade> {
  refuseReadOnly(queue);
  const before = await read(queue, (connection) => connection.version());
  if (before === SCHEMA_VERSION) return { schema: SCHEMA_VERSION, before, copy: null };
  addFolders(queue);
  let copy: string | null = null;
  let isMigrated = false;
  try {
    await transaction(
      queue,
      ({ connection }) => {
        isMigrated ||= connection.version() < SCHEMA_VERSION;
        connection.migrate();
      },
      async (lease) => {
        // Named under the lease, so that another upgrade does not choose the same name.
        copy ??= keptPath(queue, `version-${before}`);
        await copyIfOlder(queue, copy, lease);
      },
    );
  } catch (error) {
    if (!(error instanceof RqError && error.code === 'OUTCOME_UNKNOWN')) removeCopy(copy);
    throw error;
  }
  if (isMigrated) return { schema: SCHEMA_VERSION, before, copy };
  // Another process upgraded the queue, perhaps after this one had copied it.
  removeCopy(copy);
  return { schema: SCHEMA_VERSION, before, copy: null };
}

function removeCopy(path: string | null): void {
  if (path !== null) rmSync(path, { force: true });
}

/** As `upgradeQueue` for a queue whose schema is current. Throws QUEUE_OUTDATED or QUEUE_VERSION for any other queue. */
export async function checkSchema(queue: Queue): Promise<Upgrade> {
  await requireCurrentSchema(queue);
  return { schema: SCHEMA_VERSION, before: SCHEMA_VERSION, copy: null };
}

/** Copies the database file while it is locked, and replaces `db.schema`, if the schema is older. */
async function copyIfOlder(queue: Queue, path: string, lease: Lease): Promise<void> {
  queue.close();
  const descriptor = openDatabase(queue, 'upgrade');
  let connection: Connection | undefined;
  try {
    connection = await lockDatabase(queue, lease);
    if (connection === undefined) {
      const { database, directory } = queue;
      throw new RqError(
        'QUEUE_DAMAGED',
        `cannot upgrade ${database}: the database is damaged; run: rq ${directory} recover`,
      );
    }
    if (connection.version() === SCHEMA_VERSION) return;
    keepCopy(queue, descriptor, path, lease);
    // Before the commit, because a killed upgrade is run again until the schema is current.
    replaceSchemaText(queue, descriptor);
  } catch (error) {
    throw storeError(error, queue.database);
  } finally {
    connection?.close();
    // After SQLite's close: closing any descriptor of the file drops the locks of this process.
    closeSync(descriptor);
  }
}

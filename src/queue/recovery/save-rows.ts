import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { RqError } from '../../job/errors.ts';
import { hostName } from '../../job/host.ts';
import type { Lease } from '../../lease/lease.ts';
import { Connection } from '../../store/connection.ts';
import { journalModeOf } from '../../store/file-header.ts';
import { readFence, writeFence } from '../../store/operations.ts';
import { integrityMessages } from '../../store/recovery/integrity.ts';
import { Rebuild, type Rebuilt } from '../../store/recovery/rebuild.ts';
import { Scratch } from '../../store/recovery/scratch.ts';
import type { Queue } from '../open.ts';
import { type ProgramOptions, type ProgramResult, runRecoverProgram } from './recover-program.ts';
import type { OnProgress, Recovery } from './recovery.ts';
import { replaceDatabase, replaceSchemaText, temporaryDatabase } from './replace-database.ts';

const PROGRAM_MESSAGES: Readonly<Record<ProgramResult, string | undefined>> = {
  done: undefined,
  'timed out': 'rq ended sqlite3 after --lock-timeout, and saves only the rows that sqlite3 had read',
  unsupported: 'no sqlite3 with ".recover" is installed, so rq saves only the rows that SQL can read',
};

interface Damaged {
  /** The kept copy of the damaged file. Rows are read from it. */
  readonly copy: string;
  /** The integrity check found damaged indexes. */
  readonly areIndexesDamaged: boolean;
  readonly jidsOfFiles: ReadonlySet<number>;
  readonly onProgress: OnProgress;
}

/**
 * Copies the rows that can be read into a new database, and replaces the database that `descriptor` has open with it.
 * Throws QUEUE_DAMAGED if there is no such row, NO_SPACE. In these cases, and if the lease needs a higher generation,
 * nothing is changed and the copy is removed.
 */
export async function saveRows(
  queue: Queue,
  descriptor: number,
  lease: Lease,
  damaged: Damaged,
): Promise<Recovery | { readonly fence: number }> {
  const temporary = temporaryDatabase(queue.directory);
  let isCopyNeeded = false;
  try {
    const isReadable = journalModeOf(descriptor) === 'rollback';
    const rebuilt = await fillDatabase(temporary, queue, lease, { ...damaged, isReadable });
    if (rebuilt.isHopeless) throw beyondRepair(queue);
    const fence = checkDatabase(temporary, queue, lease);
    if (fence >= lease.generation) return { fence };
    isCopyNeeded = true;
    replaceSchemaText(queue, descriptor);
    replaceDatabase(queue, descriptor, temporary, lease);
    return report(queue, rebuilt, damaged);
  } finally {
    rmSync(temporary, { force: true });
    if (!isCopyNeeded) rmSync(damaged.copy);
  }
}

/** `isReadable`: SQLite can open the copy without making files beside it. */
async function fillDatabase(
  path: string,
  queue: Queue,
  lease: Lease,
  damaged: Damaged & { readonly isReadable: boolean },
): Promise<Rebuilt> {
  const connection = Connection.open(path, { create: true, busyMs: 0 });
  const refresh = (): void => lease.refresh();
  try {
    // No other process knows the file, and replaceDatabase syncs it.
    connection.execute('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE');
    connection.execute('BEGIN');
    connection.migrate();
    connection.execute('COMMIT');
    const { generation } = lease;
    const rebuild = new Rebuild(connection, { jidsOfFiles: damaged.jidsOfFiles, generation, refresh });
    if (damaged.isReadable) rebuild.addDamaged(damaged.copy);
    if (!rebuild.isWhole) {
      const options = { path: temporaryDatabase(queue.directory), timeoutMs: queue.lockTimeoutMs, refresh };
      await addProgramRows(rebuild, connection, damaged, options);
    }
    return rebuild.finish();
  } finally {
    connection.close();
  }
}

/** Adds rows that the program `sqlite3` reads, and SQL does not. */
async function addProgramRows(
  rebuild: Rebuild,
  connection: Connection,
  { copy, onProgress }: Damaged,
  { path, ...options }: ProgramOptions & { readonly path: string },
): Promise<void> {
  try {
    const scratch = Scratch.create(path, connection);
    try {
      const result = await runRecoverProgram(copy, scratch, options);
      const message = PROGRAM_MESSAGES[result];
      if (message !== undefined) onProgress(message);
      scratch.assignLostRows({ isFreelistKnown: rebuild.isFreelistKnown });
    } finally {
      scratch.close();
    }
    rebuild.addScratch(path);
  } finally {
    rmSync(path, { force: true });
  }
}

/** Writes the fence of the new database and checks it. Returns the fence that it had. */
function checkDatabase(path: string, queue: Queue, lease: Lease): number {
  const connection = Connection.open(path, { busyMs: 0 });
  try {
    const fence = readFence(connection);
    if (fence >= lease.generation) return fence;
    const operation = `${hostName()}/${process.pid}/${randomUUID()}`;
    writeFence(connection, { fence, generation: lease.generation, operation, now: queue.clock.now() });
    lease.refresh();
    const [fault] = integrityMessages(connection);
    if (fault !== undefined) throw new Error(`the new database is damaged: ${fault}`);
    return fence;
  } finally {
    connection.close();
  }
}

function report({ database }: Queue, rebuilt: Rebuilt, { copy, areIndexesDamaged, onProgress }: Damaged): Recovery {
  if (!rebuilt.isComplete) onProgress('the queue may have contained more jobs than the saved, lost and doubtful jobs');
  if (rebuilt.wasOlder) onProgress('upgraded the schema to that of this version of rq, as "upgrade" does');
  if (rebuilt.blocked > 0) {
    onProgress(
      `the dependencies of ${rebuilt.blocked} jobs could not be read; these jobs stay pending until you set their dependencies with: rq QUEUE update JID after=…`,
    );
  }
  for (const object of rebuilt.foreign) onProgress(`did not save an object that rq did not create: ${object}`);
  const lost = [...rebuilt.lost].sort((a, b) => a - b);
  const doubtful = [...rebuilt.doubtful].sort((a, b) => a - b);
  const areRowsDamaged = lost.length > 0 || doubtful.length > 0 || !rebuilt.areTablesWhole;
  const damage = areRowsDamaged ? 'rows' : areIndexesDamaged || !rebuilt.areIndexesReadable ? 'indexes' : 'structure';
  return { database, damage, saved: rebuilt.saved, lost, doubtful, kept: copy };
}

function beyondRepair({ database }: Queue): RqError {
  return new RqError(
    'QUEUE_DAMAGED',
    `cannot recover ${database}: no job can be read; nothing was changed; install sqlite3 with ".recover" and try again, or restore a backup`,
  );
}

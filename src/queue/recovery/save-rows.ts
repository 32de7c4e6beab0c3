import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { RqError } from '../../job/errors.ts';
import { hostName } from '../../job/host.ts';
import type { Lease } from '../../lease/lease.ts';
import { Connection } from '../../store/connection.ts';
import { readFence, writeFence } from '../../store/operations.ts';
import { PageFile } from '../../store/recovery/page-file.ts';
import { type Salvaged, salvage } from '../../store/recovery/salvage.ts';
import { Trees } from '../../store/recovery/tree-walk.ts';
import type { Queue } from '../open.ts';
import { checkMessages } from './examine.ts';
import type { Outcome, Recovery, Say } from './recovery.ts';
import { replaceDatabase, temporaryDatabase } from './replace-database.ts';

interface Damaged {
  /** Where the damaged file is kept. */
  readonly copy: string;
  readonly jids: ReadonlySet<number>;
  readonly say: Say;
}

/**
 * Makes a new database of what can be believed of the one that is open here, and puts it in its place. Throws
 * QUEUE_DAMAGED if that is nothing, NO_SPACE; then, and if the lease must be a higher one, nothing is changed and no copy
 * kept.
 */
export function saveRows(queue: Queue, descriptor: number, lease: Lease, { copy, jids, say }: Damaged): Outcome {
  const temporary = temporaryDatabase(queue.directory);
  try {
    let made: Salvaged | number | undefined;
    try {
      const trees = new Trees(new PageFile(descriptor), () => lease.refresh());
      made = makeDatabase(queue, temporary, lease, trees, jids);
    } finally {
      // The file itself is as it was: each try would leave another copy.
      if (made === undefined || typeof made === 'number' || made.isHopeless) rmSync(copy);
    }
    if (typeof made === 'number' || made.isHopeless) {
      if (typeof made === 'number') return { kind: 'fenced', above: made };
      throw beyondRepair(queue);
    }
    replaceDatabase(queue, descriptor, temporary, lease);
    warn(made, say);
    return { kind: 'done', recovery: report(queue, made, copy) };
  } finally {
    rmSync(temporary, { force: true });
  }
}

function report({ database }: Queue, made: Salvaged, kept: string): Recovery {
  const { saved, areTablesWhole, areIndexesWhole } = made;
  const lost = [...made.lost].sort((a, b) => a - b);
  const doubtful = [...made.doubtful].sort((a, b) => a - b);
  const isRows = lost.length > 0 || doubtful.length > 0 || !areTablesWhole;
  const damage = isRows ? 'rows' : areIndexesWhole ? 'structure' : 'indexes';
  return { database, damage, saved, lost, doubtful, kept };
}

/** Fills a new database in one transaction; gives a generation that the lease's must be above, if it is not. */
function makeDatabase(
  queue: Queue,
  path: string,
  lease: Lease,
  trees: Trees,
  jids: ReadonlySet<number>,
): Salvaged | number {
  const connection = Connection.open(path, { create: true, busyMs: 0 });
  try {
    // Nobody else knows the file, and it is synced when it is done.
    connection.execute('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF');
    connection.execute('BEGIN IMMEDIATE');
    connection.migrate();
    const salvaged = salvage(trees, connection, jids);
    const fence = readFence(connection);
    if (fence >= lease.generation) return fence;
    const operation = `${hostName()}/${process.pid}/${randomUUID()}`;
    writeFence(connection, { fence, generation: lease.generation, operation, now: queue.clock.now() });
    connection.execute('COMMIT');
    lease.refresh();
    const messages = checkMessages(connection);
    if (messages.length > 0) throw new Error(`what was saved is not whole: ${messages[0]}`);
    return salvaged;
  } finally {
    connection.close();
  }
}

function warn({ isComplete, strangers }: Salvaged, say: Say): void {
  if (!isComplete)
    say('pages are lost that nothing else tells about: there may have been jobs that no list here names');
  for (const stranger of strangers) say(`not saved, since it is not rq's: ${stranger}`);
}

function beyondRepair(queue: Queue): RqError {
  return new RqError(
    'QUEUE_DAMAGED',
    `cannot recover ${queue.database}: it is damaged beyond repair, no row of it can be read; nothing is changed; restore a backup of it`,
  );
}

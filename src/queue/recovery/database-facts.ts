import { runningByHost } from '../../store/counts.ts';
import { checkQuickly } from '../../store/recovery/integrity.ts';
import { unfinishedRotations } from '../../store/rotations.ts';
import { SCHEMA_VERSION } from '../../store/schema.ts';
import type { Queue } from '../open.ts';
import { type Look, look } from '../transaction/look.ts';
import { checkMessages } from './examine.ts';

/** What a database says of itself and its queue. */
export interface DatabaseFacts {
  /** The first fault that SQLite finds in it, undefined if it finds none. */
  readonly fault: string | undefined;
  /** An older rq made it, and none of this version has written since. */
  readonly isOlder: boolean;
  /** How many jobs each host runs. */
  readonly running: ReadonlyMap<string, number>;
  /** Where rotations are to be that were committed and not brought to their end. */
  readonly rotations: readonly string[];
}

/** Checks a database, quickly or all of it, and reads what there is to know; changes nothing. Writers wait meanwhile. */
export async function databaseFacts(queue: Queue, isFull: boolean): Promise<Look<DatabaseFacts>> {
  return await look(queue, (connection) => {
    const isOlder = connection.version() < SCHEMA_VERSION;
    const fault = isFull ? checkMessages(connection)[0] : checkQuickly(connection);
    // In what is damaged, rows may be anything.
    if (fault !== undefined) return { fault, isOlder, running: new Map<string, number>(), rotations: [] };
    const rotations = isOlder ? [] : unfinishedRotations(connection).map(({ path }) => path);
    return { fault, isOlder, running: runningByHost(connection), rotations };
  });
}

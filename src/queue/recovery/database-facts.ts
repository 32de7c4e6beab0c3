import { runningByHost } from '../../store/counts/counts.ts';
import { checkQuickly, integrityMessages } from '../../store/recovery/integrity.ts';
import { unfinishedRotations } from '../../store/rotations.ts';
import { SCHEMA_VERSION } from '../../store/schema.ts';
import type { Queue } from '../open.ts';
import { type Look, look } from '../transaction/look.ts';

/** The state of a database and the facts in it that the doctor needs. */
export interface DatabaseFacts {
  /** The first fault that SQLite finds, or undefined. */
  readonly fault: string | undefined;
  /** The schema is of an older rq. */
  readonly isOlder: boolean;
  /** Number of running jobs by host. */
  readonly running: ReadonlyMap<string, number>;
  /** Destinations of rotations that were committed and not moved into place. */
  readonly rotations: readonly string[];
}

/** Checks a database, quickly or completely, and reads its facts. Changes nothing. Writers wait meanwhile. */
export async function databaseFacts(queue: Queue, isFull: boolean): Promise<Look<DatabaseFacts>> {
  return await look(queue, (connection) => {
    const isOlder = connection.version() < SCHEMA_VERSION;
    const fault = isFull ? integrityMessages(connection)[0] : checkQuickly(connection);
    // Rows of a damaged database can have any contents.
    if (fault !== undefined) return { fault, isOlder, running: new Map<string, number>(), rotations: [] };
    const rotations = isOlder ? [] : unfinishedRotations(connection).map(({ path }) => path);
    return { fault, isOlder, running: runningByHost(connection), rotations };
  });
}

import { errorCode, RqError } from '../../job/errors.ts';
import type { Connection } from '../connection.ts';
import { soundRows } from './sound-rows.ts';

const CHECK = 'PRAGMA integrity_check(1)';
const CHECK_ALL = 'PRAGMA integrity_check(1000)';
const QUICK_CHECK = 'PRAGMA quick_check(1)';
const CHECK_REFERENCES = 'PRAGMA foreign_key_check';
const CONTRADICTION = `SELECT entry.jid FROM main.jobs AS entry INDEXED BY jobs_by_state
  LEFT JOIN jobs AS job NOT INDEXED ON job.jid = entry.jid WHERE job.state IS NOT entry.state LIMIT 1`;
const IS_INDEX = "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND rootpage = ?";
const INDEX = /^(row \d+ missing from index|wrong # of entries in index|non-unique entry in index) /;

export interface Damage {
  /** `indexes`: REINDEX repairs it, because indexes lack entries and all rows are valid. `unknown`: anything else. */
  readonly kind: 'none' | 'indexes' | 'unknown';
  readonly areIndexesDamaged: boolean;
}

/** The first fault that SQLite finds in a database, or undefined. Reads the whole database. */
export function checkIntegrity(connection: Connection): string | undefined {
  const fault = String(connection.get(CHECK)?.['integrity_check'] ?? 'no answer');
  return fault === 'ok' ? undefined : fault;
}

/** Like `checkIntegrity`, but does not compare indexes with tables. Also reads the whole database. */
export function checkQuickly(connection: Connection): string | undefined {
  const fault = String(connection.get(QUICK_CHECK)?.['quick_check'] ?? 'no answer');
  return fault === 'ok' ? undefined : fault;
}

/** Classifies the damage of a database. Also finds rows that SQLite accepts and rq never writes. */
export function findDamage(connection: Connection, refresh: () => void): Damage {
  const messages = integrityMessages(connection);
  refresh();
  const areIndexesDamaged = messages.some((message) => INDEX.test(message) || isInIndex(connection, message));
  const isUnknown = messages.some((message) => !INDEX.test(message)) || !areRowsSound(connection);
  if (isUnknown) return { kind: 'unknown', areIndexesDamaged };
  if (messages.length === 0) return { kind: 'none', areIndexesDamaged };
  // If an index contradicts a row, either can be wrong.
  return { kind: connection.get(CONTRADICTION) === undefined ? 'indexes' : 'unknown', areIndexesDamaged };
}

/** Whether a message is about a page of an index. It names the root page of the tree. */
function isInIndex(connection: Connection, message: string): boolean {
  const root = /^Tree (\d+) /m.exec(message)?.[1];
  return root !== undefined && connection.get(IS_INDEX, [Number(root)]) !== undefined;
}

function areRowsSound(connection: Connection): boolean {
  return connection.get(`SELECT jid FROM jobs WHERE NOT (${soundRows(connection)}) LIMIT 1`) === undefined;
}

/** All faults that SQLite finds in a database. Throws QUEUE_VERSION. */
export function integrityMessages(connection: Connection): string[] {
  try {
    if (connection.version() < 1) return ['no schema'];
    const messages = connection.all(CHECK_ALL).map((row) => String(row['integrity_check']));
    const orphans = connection.all(CHECK_REFERENCES).map((row) => `${String(row['table'])} refers to a missing row`);
    return [...messages.filter((message) => message !== 'ok'), ...orphans];
  } catch (error) {
    if (error instanceof RqError && error.code === 'QUEUE_VERSION') throw error;
    // SQLITE_ERROR: a table of the schema is missing. SQLITE_IOERR_SHORT_READ: the file is truncated.
    const isDamage = /^(SQLITE_(CORRUPT|NOTADB|ERROR|IOERR_SHORT_READ)|QUEUE_DAMAGED)/.test(errorCode(error) ?? '');
    if (!isDamage) throw error;
    return [String(error)];
  }
}

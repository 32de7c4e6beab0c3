import { errorCode, RqError } from '../../job/errors.ts';
import type { Connection } from '../connection.ts';
import { soundRows } from './sound-rows.ts';

const CHECK = 'PRAGMA integrity_check(1)';
const CHECK_ALL = 'PRAGMA integrity_check(1000)';
const QUICK_CHECK = 'PRAGMA quick_check(1)';
const CHECK_REFERENCES = 'PRAGMA foreign_key_check';
const INDEX = /^(row \d+ missing from index|wrong # of entries in index|non-unique entry in index) /;

/** The first fault that SQLite finds in a database, or undefined. Reads the whole database. */
export function checkIntegrity(connection: Connection): string | undefined {
  return firstFault(connection, CHECK);
}

/** Like `checkIntegrity`, but does not compare indexes with tables. Also reads the whole database. */
export function checkQuickly(connection: Connection): string | undefined {
  return firstFault(connection, QUICK_CHECK);
}

function firstFault(connection: Connection, check: string): string | undefined {
  const [fault = 'no answer'] = Object.values(connection.get(check) ?? {});
  return fault === 'ok' ? undefined : String(fault);
}

/** Whether a database has damage: indexes that contradict rows, or anything else. Also finds rows that SQLite accepts and rq never writes. */
export function findDamage(connection: Connection, refresh: () => void): 'none' | 'indexes' | 'other' {
  const messages = integrityMessages(connection);
  refresh();
  if (messages.some((message) => INDEX.test(message))) return 'indexes';
  return messages.length === 0 && areRowsSound(connection) ? 'none' : 'other';
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

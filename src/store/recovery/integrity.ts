import type { Connection } from '../connection.ts';

const CHECK = 'PRAGMA integrity_check(1)';
const QUICK_CHECK = 'PRAGMA quick_check(1)';

/** The first fault that SQLite finds in a database, undefined if it finds none. Reads all of it. */
export function checkIntegrity(connection: Connection): string | undefined {
  const row = connection.get(CHECK);
  const fault = String(row?.['integrity_check'] ?? 'no answer');
  return fault === 'ok' ? undefined : fault;
}

/** As `checkIntegrity`, but does not compare indexes with their tables. Reads all pages too. */
export function checkQuickly(connection: Connection): string | undefined {
  const fault = String(connection.get(QUICK_CHECK)?.['quick_check'] ?? 'no answer');
  return fault === 'ok' ? undefined : fault;
}

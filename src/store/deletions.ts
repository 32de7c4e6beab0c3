import type { Connection } from './connection.ts';

const DELETE = 'DELETE FROM jobs WHERE jid IN (SELECT value FROM json_each(?))';

/** Removes the rows of jobs and of their attempts. */
export function deleteRows(connection: Connection, jids: readonly number[]): number {
  return connection.run(DELETE, [JSON.stringify(jids)]).changes;
}

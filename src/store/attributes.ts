import type { Connection } from './connection.ts';

const WRITE =
  'INSERT INTO attributes (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value';
const READ = 'SELECT name, value FROM attributes';
const REMOVE = 'DELETE FROM attributes WHERE name = ?';

/** Sets an attribute; null removes it. */
export function writeAttribute(connection: Connection, name: string, value: string | null): void {
  if (value === null) connection.run(REMOVE, [name]);
  else connection.run(WRITE, [name, value]);
}

export function readAttributes(connection: Connection): Map<string, string> {
  return new Map(connection.all(READ).map((row) => [String(row['name']), String(row['value'])]));
}

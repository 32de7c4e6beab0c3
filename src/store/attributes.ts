import type { Connection } from './connection.ts';

const READ = 'SELECT name, value FROM attributes ORDER BY name';
const WRITE =
  'INSERT INTO attributes (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value';

export function readAttributes(connection: Connection): Record<string, string> {
  return Object.fromEntries(connection.all(READ).map((row) => [String(row['name']), String(row['value'])]));
}

export function writeAttribute(connection: Connection, name: string, value: string): void {
  connection.run(WRITE, [name, value]);
}

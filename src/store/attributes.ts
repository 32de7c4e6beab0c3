import type { Connection } from './connection.ts';

const WRITE =
  'INSERT INTO attributes (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value';

export function writeAttribute(connection: Connection, name: string, value: string): void {
  connection.run(WRITE, [name, value]);
}

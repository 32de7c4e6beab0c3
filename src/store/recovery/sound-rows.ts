import { isUtf8 } from 'node:buffer';
import type { Connection } from '../connection.ts';

const COLUMNS = 'PRAGMA table_info(jobs)';
const TIMES = ['submitted', 'started', 'finished'];

/**
 * A condition on a row of `jobs`: all text is UTF-8 without NUL, and times are valid. SQLite does not check this, and
 * damaged pages often violate it. `columns`: those that the rows have, if not all.
 */
export function soundRows(connection: Connection, columns?: readonly string[]): string {
  connection.defineFunction('is_text', (bytes) =>
    Buffer.isBuffer(bytes) && isUtf8(bytes) && !bytes.includes(0) ? 1 : 0,
  );
  const texts = connection.all(COLUMNS).filter((column) => column['type'] === 'TEXT');
  const names = texts.map((column) => String(column['name']));
  const all = names
    .filter((name) => columns?.includes(name) ?? true)
    .map((name) => `"${name}"`)
    .join(', ');
  return [
    `is_text(CAST(concat_ws(char(10), ${all}) AS BLOB))`,
    ...TIMES.map((time) => `strftime('%Y-%m-%dT%H:%M:%fZ', ${time}) IS ${time}`),
  ].join(' AND ');
}

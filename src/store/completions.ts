import type { Connection } from './connection.ts';

const NEXT_TAG = 'SELECT min(tag) AS tag FROM jobs INDEXED BY jobs_by_tag WHERE tag > ?';
const SAME_TAG = 'SELECT tag FROM jobs INDEXED BY jobs_by_tag WHERE tag = ? LIMIT 1';
const NEWEST = 'SELECT jid FROM jobs ORDER BY jid DESC LIMIT 5000';

/** The tags that begin with a text, each once, at most so many; one step of the index for each. */
export function tagsFrom(connection: Connection, prefix: string, limit: number): string[] {
  const tags: string[] = [];
  let row = connection.get(SAME_TAG, [prefix]) ?? connection.get(NEXT_TAG, [prefix]);
  while (typeof row?.['tag'] === 'string' && row['tag'].startsWith(prefix) && tags.length < limit) {
    tags.push(row['tag']);
    row = connection.get(NEXT_TAG, [row['tag']]);
  }
  return tags;
}

/** The newest jids whose digits begin with a text, at most so many. */
export function newestJids(connection: Connection, prefix: string, limit: number): string[] {
  const jids = connection.all(NEWEST).map((row) => String(row['jid']));
  return jids.filter((jid) => jid.startsWith(prefix)).slice(0, limit);
}

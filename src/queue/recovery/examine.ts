import { errorCode, RqError } from '../../job/errors.ts';
import type { Connection } from '../../store/connection.ts';
import { crossCheck } from '../../store/recovery/cross-check.ts';
import type { PageFile } from '../../store/recovery/page-file.ts';
import { findRoots } from '../../store/recovery/roots.ts';
import { isJob } from '../../store/recovery/row-checks.ts';
import { Trees } from '../../store/recovery/tree-walk.ts';

const CHECK = 'PRAGMA integrity_check(1000)';
const CHECK_REFERENCES = 'PRAGMA foreign_key_check';
const INDEX_ONLY = /^(row \d+ missing from index|wrong # of entries in index|non-unique entry in index) /;

export type Damage = 'none' | 'indexes' | 'unknown';

/**
 * What is wrong with a database: nothing, entries that indexes lack while every row is beyond doubt, or more than that.
 * SQLite checks the pages, the constraints and the types; what rq itself never stores in a row is looked for here.
 */
export function examine(connection: Connection, file: PageFile, refresh: () => void): Damage {
  const messages = checkMessages(connection);
  refresh();
  if (messages.some((message) => !INDEX_ONLY.test(message))) return 'unknown';
  if (!areJobs(file, refresh)) return 'unknown';
  if (messages.length === 0) return 'none';
  // An index that says other than a row does not tell which of them is wrong.
  const trees = new Trees(file, refresh);
  const { contradicted, absent } = crossCheck(connection, trees, findRoots(trees));
  return contradicted.size === 0 && absent.size === 0 ? 'indexes' : 'unknown';
}

/** What SQLite finds; nothing if all is well. */
export function checkMessages(connection: Connection): string[] {
  try {
    if (connection.version() < 1) return ['no schema'];
    const messages = connection.all(CHECK).map((row) => String(row['integrity_check']));
    const references = connection.all(CHECK_REFERENCES).map((row) => `${String(row['table'])} refers to nothing`);
    return [...messages.filter((message) => message !== 'ok'), ...references];
  } catch (error) {
    if (error instanceof RqError && error.code === 'QUEUE_VERSION') throw error;
    const code = errorCode(error) ?? '';
    // SQLITE_ERROR: a schema that lacks what is asked for. A read that is too short: a file that was cut off.
    if (!/^(SQLITE_(CORRUPT|NOTADB|ERROR|IOERR_SHORT_READ)|QUEUE_DAMAGED)/.test(code)) throw error;
    return [String(error)];
  }
}

function areJobs(file: PageFile, refresh: () => void): boolean {
  const trees = new Trees(file, refresh);
  const root = findRoots(trees).pages.get('jobs');
  if (root === undefined) return false;
  for (const page of trees.walk(root).pages()) {
    const found = [...trees.records(page)];
    if (page.isLeaf && found.length < page.cells.length) return false;
    if (found.some(({ record }) => !record.isSound || !isJob(record.values))) return false;
  }
  return true;
}

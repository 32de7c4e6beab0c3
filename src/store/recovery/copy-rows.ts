import { errorCode } from '../../job/errors.ts';
import type { Connection } from '../connection.ts';

/** The lease is refreshed after each chunk. */
const CHUNK = 10_000;

/** Rows that could not be copied. */
export interface NotCopied {
  /** Keys. SQLite reported damage. The row may not exist. */
  readonly unreadable: number[];
  /** Keys of rows that violate a constraint of the new table. */
  readonly refused: number[];
  /** SQLite found the end of the table. */
  isEndReached: boolean;
}

/** Whether SQLite reported damage of the database that it reads. */
export function isDamage(error: unknown): boolean {
  // SQLITE_ERROR: the table is not in the damaged schema. NOMEM, TOOBIG: a damaged length.
  return /^SQLITE_(CORRUPT|NOTADB|ERROR|IOERR_(SHORT_)?READ|NOMEM|TOOBIG)/.test(errorCode(error) ?? '');
}

export function areAllCopied(failed: NotCopied | undefined): boolean {
  return failed?.isEndReached === true && failed.refused.length === 0 && failed.unreadable.length === 0;
}

export function isRefusal(error: unknown): boolean {
  return /^SQLITE_(CONSTRAINT|MISMATCH)/.test(errorCode(error) ?? '');
}

export interface CopyRange {
  /** Copies the rows with keys between its two parameters, or fails as a whole. */
  readonly copy: string;
  /** Copies the rows with one key. Other than `copy`, it does not read the row after them, which can be on a damaged page. */
  readonly copyOne: (key: number) => void;
  /** Finds the first `key` that is not below its parameter. */
  readonly next: string;
  readonly low: number;
  readonly high: number;
  readonly refresh: () => void;
}

/** Copies the rows with keys from `low` to `high`. A range that fails is bisected until single keys fail. */
export function copyRange(connection: Connection, range: CopyRange): NotCopied {
  const failed: NotCopied = { unreadable: [], refused: [], isEndReached: false };
  let first = range.low;
  while (first <= range.high) {
    // Keys that no row has are skipped, unless damage hides them.
    const next = nextKey(connection, range.next, first) ?? first;
    if (next > range.high) break;
    const last = Math.min(next + CHUNK - 1, range.high);
    copyBisected(connection, range, [next, last], failed);
    range.refresh();
    first = last + 1;
  }
  failed.isEndReached = nextKey(connection, range.next, range.high + 1) === Number.POSITIVE_INFINITY;
  return failed;
}

/** Copies rows one by one. A scan can end early without an error, at a damaged key that seems to be above its range. */
export function copyEach(keys: Iterable<number>, copyOne: (key: number) => void, refresh: () => void): NotCopied {
  const failed: NotCopied = { unreadable: [], refused: [], isEndReached: true };
  for (const key of keys) {
    try {
      copyOne(key);
    } catch (error) {
      if (!isDamage(error) && !isRefusal(error)) throw error;
      (isDamage(error) ? failed.unreadable : failed.refused).push(key);
    }
    refresh();
  }
  return failed;
}

/** The lowest key of a row from `key` on: infinite if there is none, undefined if SQLite reports damage. */
function nextKey(connection: Connection, next: string, key: number): number | undefined {
  try {
    const row = connection.get(next, [key]);
    return row === undefined ? Number.POSITIVE_INFINITY : Number(row['key']);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return undefined;
  }
}

function copyBisected(
  connection: Connection,
  range: CopyRange,
  [low, high]: [number, number],
  failed: NotCopied,
): void {
  if (low === high) {
    const { unreadable, refused } = copyEach([low], range.copyOne, range.refresh);
    failed.unreadable.push(...unreadable);
    failed.refused.push(...refused);
    return;
  }
  try {
    connection.run(range.copy, [low, high]);
  } catch (error) {
    if (!isDamage(error) && !isRefusal(error)) throw error;
    const middle = Math.floor((low + high) / 2);
    copyBisected(connection, range, [low, middle], failed);
    copyBisected(connection, range, [middle + 1, high], failed);
  }
}

/** Reads the rows of a table from both ends, up to the first damage. True if all rows were read. */
export function readFromBothEnds(
  connection: Connection,
  { ascending, descending }: { readonly ascending: string; readonly descending: string },
  onRow: (row: Record<string, unknown>) => void,
): boolean {
  if (readUntilDamage(connection, ascending, onRow)) return true;
  readUntilDamage(connection, descending, onRow);
  return false;
}

function readUntilDamage(connection: Connection, sql: string, onRow: (row: Record<string, unknown>) => void): boolean {
  try {
    for (const row of connection.iterate(sql)) onRow(row);
    return true;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return false;
  }
}

import { RqError } from '../job/errors.ts';
import type { Connection } from './connection.ts';

const READ_FENCE = 'SELECT max(generation) AS fence FROM operations';
const WRITE_FENCE = 'INSERT INTO operations (generation, operation, committed) VALUES (?, ?, ?)';
const FIND = 'SELECT 1 FROM operations WHERE generation = ? AND operation = ?';
const KNOWN = `SELECT min(generation) AS oldest, EXISTS (SELECT 1 FROM operations WHERE generation = ?) AS found
  FROM operations`;
const FORGET = `DELETE FROM operations WHERE generation IN
  (SELECT generation FROM operations WHERE generation < ? ORDER BY generation LIMIT 128) AND committed < ?`;

/** The minimum number of operations to keep, and the time: a transaction with an unknown outcome looks up its operation. */
const KEPT = 10_000;
/** Each deletion removes more operations than this, so that their number does not grow. */
const FORGET_EVERY = 64;
/** Names of leases have at most 15 digits. */
export const MAX_GENERATION = 1e14;
export const REMEMBERED_MS = 24 * 3_600_000;

/** The highest generation that has written; 0 in a new queue. Throws QUEUE_DAMAGED for an impossible generation. */
export function readFence(connection: Connection): number {
  const fence = Number(connection.get(READ_FENCE)?.['fence'] ?? 0);
  if (fence <= MAX_GENERATION) return fence;
  throw new RqError(
    'QUEUE_DAMAGED',
    `cannot use ${connection.path}: the highest generation in the table "operations" is ${fence}, which is impossible; delete the row with this generation`,
  );
}

/** Records a generation above `fence`, with the id of its operation. Deletes old operations from time to time. */
export function writeFence(
  connection: Connection,
  { fence, generation, operation, now }: { fence: number; generation: number; operation: string; now: string },
): void {
  connection.run(WRITE_FENCE, [generation, operation, now]);
  // Each deletion reads the page of the oldest operations, which is a round trip on NFS.
  if (Math.floor(fence / FORGET_EVERY) === Math.floor(generation / FORGET_EVERY)) return;
  connection.run(FORGET, [generation - KEPT, new Date(Date.parse(now) - REMEMBERED_MS).toISOString()]);
}

/** Whether the database lacks the operation of a generation, and has not merely forgotten it. */
export function lacksGeneration(connection: Connection, generation: number): boolean {
  const { oldest, found } = connection.get(KNOWN, [generation]) ?? {};
  return found === 0 && Number(oldest ?? 0) <= generation;
}

/** Whether an operation was committed. */
export function wasCommitted(connection: Connection, generation: number, operation: string): boolean {
  return connection.get(FIND, [generation, operation]) !== undefined;
}

import { RqError } from '../job/errors.ts';
import type { Connection } from './connection.ts';

const READ_FENCE = 'SELECT max(generation) AS fence FROM operations';
const WRITE_FENCE = 'INSERT INTO operations (generation, operation, committed) VALUES (?, ?, ?)';
const FIND = 'SELECT 1 FROM operations WHERE generation = ? AND operation = ?';
const FORGET = `DELETE FROM operations WHERE generation IN
  (SELECT generation FROM operations WHERE generation < ? ORDER BY generation LIMIT 128) AND committed < ?`;

/** How many operations are remembered at least, and for how long: one whose outcome is unknown is looked up here. */
const REMEMBERED = 10_000;
/** Old ones are forgotten faster than new ones come. */
const FORGET_EVERY = 64;
/** Names of leases have at most 15 digits, and there is to be room for more. */
const MAX_GENERATION = 1e14;
export const REMEMBERED_MS = 24 * 3_600_000;

/** The highest generation that ever wrote; 0 in a new queue. Throws QUEUE_DAMAGED for one that cannot be. */
export function readFence(connection: Connection): number {
  const fence = Number(connection.get(READ_FENCE)?.['fence'] ?? 0);
  if (fence <= MAX_GENERATION) return fence;
  throw new RqError(
    'QUEUE_DAMAGED',
    `cannot use ${connection.path}: its highest generation is ${fence}, which no lease can have; remove that row of the table operations`,
  );
}

/** Records that this generation writes, above the `fence` that was read, under a unique operation id; forgets what is old. */
export function writeFence(
  connection: Connection,
  { fence, generation, operation, now }: { fence: number; generation: number; operation: string; now: string },
): void {
  connection.run(WRITE_FENCE, [generation, operation, now]);
  // The oldest are on a page of their own, which another host would have to read each time.
  if (Math.floor(fence / FORGET_EVERY) === Math.floor(generation / FORGET_EVERY)) return;
  connection.run(FORGET, [generation - REMEMBERED, new Date(Date.parse(now) - REMEMBERED_MS).toISOString()]);
}

/** Whether an operation was committed. */
export function wasCommitted(connection: Connection, generation: number, operation: string): boolean {
  return connection.get(FIND, [generation, operation]) !== undefined;
}

import { acquireLease, type Lease } from '../lease/lease.ts';
import type { Queue } from './open.ts';

const REFRESH_MS = 5_000;

/**
 * Holds the lease of a queue while something is done that is no transaction, and refreshes it as it goes. The work must
 * not block the event loop for longer than the lease lives. Throws BUSY if it cannot be had in time.
 */
export async function holdLease<T>(queue: Queue, work: (lease: Lease) => Promise<T>): Promise<T> {
  const { clock, staleMs, lockTimeoutMs } = queue;
  const options = { clock, timeoutMs: lockTimeoutMs };
  const lease = await acquireLease(queue.directory, staleMs === undefined ? options : { ...options, staleMs });
  let failure: unknown;
  const timer = setInterval(() => {
    try {
      lease.refresh();
    } catch (error) {
      // It was lost; the work asks by `isOwned` where that matters.
      failure = error;
      clearInterval(timer);
    }
  }, REFRESH_MS);
  try {
    const result = await work(lease);
    if (failure !== undefined) throw failure;
    return result;
  } finally {
    clearInterval(timer);
    await lease.release();
  }
}

import type { Lease } from '../../lease/lease.ts';
import type { Queue } from '../open.ts';
import { underLease } from './under-lease.ts';

const REFRESH_MS = 5_000;

/**
 * As `underLease`, for work that waits for others: the lease is refreshed by a timer. The work must not block the event
 * loop for longer than the lease lives. Throws BUSY if it cannot be had in time, or was lost.
 */
export async function holdLease<T>(queue: Queue, work: () => Promise<T>): Promise<T> {
  return await underLease(queue, async (lease) => {
    const timer = refreshing(lease);
    try {
      const result = await work();
      lease.refresh();
      return result;
    } finally {
      clearInterval(timer);
    }
  });
}

function refreshing(lease: Lease): NodeJS.Timeout {
  const timer = setInterval(() => {
    try {
      lease.refresh();
    } catch {
      // It was lost. The work goes on, since it may be a command of the user's; that it was is said after it.
      clearInterval(timer);
    }
  }, REFRESH_MS);
  return timer;
}

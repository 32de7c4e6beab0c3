import { RqError } from '../../job/errors.ts';
import type { Lease } from '../../lease/lease.ts';
import type { Queue } from '../open.ts';

/**
 * Does work under the lease that is not one transaction, and closes the connection afterwards. A timer refreshes the
 * lease. Work that blocks the event loop refreshes it itself. `above`: the lease's generation is higher than this one.
 * Throws as `LeaseClient.acquire` does.
 */
export async function underLease<T>(
  queue: Queue,
  work: (lease: Lease) => T | Promise<T>,
  { above = 0 }: { readonly above?: number } = {},
): Promise<T> {
  const lease = await queue.leases.acquire({ timeoutMs: queue.lockTimeoutMs, above });
  try {
    return await work(lease);
  } finally {
    queue.close();
    lease.release();
  }
}

/** As `underLease`, and throws BUSY after the work if the lease was lost in the meantime. */
export async function holdLease<T>(queue: Queue, work: () => Promise<T>): Promise<T> {
  return await underLease(queue, async (lease) => {
    const result = await work();
    if (lease.isOwned()) return result;
    throw new RqError('BUSY', `lost the lease of ${queue.directory} during the operation; try again`);
  });
}

import { acquireLease, type Lease } from '../../lease/lease.ts';
import type { Queue } from '../open.ts';

/**
 * Does work that holds the lease without being one transaction, and closes the connection after it. The work refreshes
 * the lease as it goes. `above`: the lease's generation is to be higher than this. Throws as `acquireLease` does.
 */
export async function underLease<T>(
  queue: Queue,
  work: (lease: Lease) => T | Promise<T>,
  { above = 0 }: { readonly above?: number } = {},
): Promise<T> {
  const { clock, directory, lockTimeoutMs: timeoutMs, staleMs } = queue;
  const options = { clock, timeoutMs, above };
  const lease = await acquireLease(directory, staleMs === undefined ? options : { ...options, staleMs });
  try {
    return await work(lease);
  } finally {
    queue.close();
    await lease.release();
  }
}

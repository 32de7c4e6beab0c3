import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import type { Queue } from '../queue/open.ts';

/** How the directory is called in which things are tried, with an id behind it. */
export const PROBE = '.doctor.';

/** Where things can be tried, or why nowhere. */
export type Probe =
  | { readonly kind: 'made'; readonly directory: string }
  | { readonly kind: 'forbidden' | 'full'; readonly why: string };

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Makes a directory in the queue for the work, where that is possible, and removes it, however the work ends. */
export async function withProbe<T>(queue: Queue, work: (probe: Probe) => Promise<T>): Promise<T> {
  const probe = makeProbe(queue);
  if (probe.kind !== 'made') return await work(probe);
  // In another process it may still lie open for a moment, under a name that NFS gives it.
  const remove = (): void => rmSync(probe.directory, { recursive: true, force: true, maxRetries: 10 });
  const removeAndEnd = (signal: NodeJS.Signals): void => {
    remove();
    // There is no listener any more: it does what it does without one.
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.once(signal, removeAndEnd);
  try {
    return await work(probe);
  } finally {
    for (const signal of SIGNALS) process.off(signal, removeAndEnd);
    remove();
  }
}

function makeProbe({ directory, readOnly }: Queue): Probe {
  if (readOnly !== undefined) return { kind: 'forbidden', why: readOnly };
  const path = join(directory, `${PROBE}${randomUUID()}`);
  try {
    mkdirSync(path, { mode: 0o700 });
    return { kind: 'made', directory: path };
  } catch (error) {
    switch (errorCode(error)) {
      case 'EACCES':
      case 'EPERM':
        return { kind: 'forbidden', why: 'you may not write to it' };
      case 'EROFS':
        return { kind: 'forbidden', why: 'it is mounted read-only' };
      case 'ENOSPC':
      case 'EDQUOT':
        return { kind: 'full', why: 'the disk or your quota is full' };
      default:
        throw error;
    }
  }
}

import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import type { Queue } from '../queue/open.ts';

/** Prefix of the name of the temporary directory. */
export const PROBE = '.doctor.';

/** A temporary directory in the queue, or why there is none. */
export type Probe =
  | { readonly kind: 'made'; readonly directory: string }
  | { readonly kind: 'forbidden' | 'full'; readonly why: string };

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs work with a temporary directory in the queue, if one can be made. Removes it even if a signal ends rq. */
export async function withProbe<T>(queue: Queue, work: (probe: Probe) => Promise<T>): Promise<T> {
  const probe = makeProbe(queue);
  if (probe.kind !== 'made') return await work(probe);
  // NFS renames a removed file that another process still has open, so that the directory is not empty at once.
  const remove = (): void => rmSync(probe.directory, { recursive: true, force: true, maxRetries: 10 });
  const removeAndEnd = (signal: NodeJS.Signals): void => {
    remove();
    // The listener was removed, so the signal now has its default action.
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

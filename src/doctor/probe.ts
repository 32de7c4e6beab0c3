import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileFault } from '../job/file-errors.ts';
import type { Queue } from '../queue/open.ts';

/** Prefix of the name of the temporary directory. */
export const PROBE = '.doctor.';

/** A temporary directory in the queue, or the reason why there is none. */
export type Probe =
  /** `signal` aborts when rq is to end; the programs that use the directory must then end. */
  | { readonly kind: 'made'; readonly directory: string; readonly signal: AbortSignal }
  | { readonly kind: 'forbidden' | 'full'; readonly why: string };

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs work with a temporary directory in the queue, if one can be made. Removes it even if a signal ends rq. */
export async function withProbe<T>(queue: Queue, work: (probe: Probe) => Promise<T>): Promise<T> {
  const end = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received = signal;
    end.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  let probe: Probe | undefined;
  try {
    probe = makeProbe(queue, end.signal);
    return await work(probe);
  } finally {
    // NFS renames a removed file that another process still has open, so that the directory is not empty at once.
    if (probe?.kind === 'made') rmSync(probe.directory, { recursive: true, force: true, maxRetries: 10 });
    for (const signal of SIGNALS) process.off(signal, onSignal);
    if (received !== undefined) process.kill(process.pid, received);
  }
}

function makeProbe({ directory, readOnly }: Queue, signal: AbortSignal): Probe {
  if (readOnly !== undefined) return { kind: 'forbidden', why: readOnly };
  const path = join(directory, `${PROBE}${randomUUID()}`);
  try {
    mkdirSync(path, { mode: 0o700 });
    return { kind: 'made', directory: path, signal };
  } catch (error) {
    const { code, reason } = fileFault(error);
    if (code !== 'NOT_ALLOWED' && code !== 'NO_SPACE') throw error;
    return { kind: code === 'NO_SPACE' ? 'full' : 'forbidden', why: reason };
  }
}

import { jobFiles } from '../../store/file-owners.ts';
import type { Queue } from '../open.ts';
import { type Look, look } from '../transaction/look.ts';
import { filesOf, namesOfFiles } from './stored-files.ts';

/** Files and jobs that do not fit together. Names are relative to the queue. */
export interface StrayFiles {
  /** Of no job; those under names that rq uses while it copies are not among them. */
  readonly ownerless: readonly string[];
  /** What jobs that wait are to get, and is not there. */
  readonly missing: readonly string[];
}

/**
 * Compares the files of a queue with its jobs. What does not fit is looked at twice: jobs come, and go, while this is
 * read, and their files are there a moment before and after them.
 */
export async function findStrayFiles(queue: Queue): Promise<Look<StrayFiles>> {
  const first = await compare(queue);
  if (first.kind !== 'seen' || first.seen.ownerless.length + first.seen.missing.length === 0) return first;
  const second = await compare(queue);
  if (second.kind !== 'seen') return second;
  const both = (kind: keyof StrayFiles): string[] => {
    const again = new Set(second.seen[kind]);
    return first.seen[kind].filter((name) => again.has(name));
  };
  return { kind: 'seen', seen: { ownerless: both('ownerless'), missing: both('missing') } };
}

async function compare(queue: Queue): Promise<Look<StrayFiles>> {
  return await look(queue, (connection) => {
    const names = namesOfFiles(queue.directory);
    const ownerless = new Set([...names].filter((name) => !name.includes('/.')));
    const missing: string[] = [];
    for (const job of jobFiles(connection)) {
      for (const name of filesOf(job)) ownerless.delete(name);
      if (!job.waits) continue;
      missing.push(...[job.stdin, job.data].filter((name): name is string => name !== null && !names.has(name)));
    }
    return { ownerless: [...ownerless].sort(), missing };
  });
}

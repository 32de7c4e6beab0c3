import { allJobFiles } from '../../store/file-owners.ts';
import type { Queue } from '../open.ts';
import { type Look, look } from '../transaction/look.ts';
import { stagingCalls } from './staged-sweep.ts';
import { allNamesOfJob, FILE_KINDS, listJobFiles } from './stored-names.ts';

/** The differences between the files of a queue and its jobs. Names are relative to the queue. */
export interface StrayFiles {
  /** Files that belong to no job. Temporary files are not among them. */
  readonly ownerless: readonly string[];
  /** Files that pending and holding jobs need and that do not exist. */
  readonly missing: readonly string[];
}

/**
 * Compares the files of a queue with its jobs. A difference counts if two comparisons show it: files exist for a moment
 * before a job is submitted and after it is deleted. What a running submit or update has staged is not a difference.
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
    const calls = stagingCalls(queue, 'stdin').filter(({ isAbandoned }) => !isAbandoned);
    const working = new Set(calls.map(({ id }) => id));
    const names = listJobFiles(queue.directory);
    const isStaged = (name: string): boolean => working.has(/\/([^.]+)\./.exec(name)?.[1] ?? '');
    const ownerless = new Set([...names].filter((name) => !name.includes('/.') && !isStaged(name)));
    const missing: string[] = [];
    for (const job of allJobFiles(connection)) {
      for (const name of allNamesOfJob(job)) ownerless.delete(name);
      if (!job.waits) continue;
      const needed = FILE_KINDS.map((kind) => job[kind]).filter((name) => name !== null);
      missing.push(...needed.filter((name) => !names.has(name)));
    }
    return { ownerless: [...ownerless].sort(), missing };
  });
}

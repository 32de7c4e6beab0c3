import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_KINDS, isFileKind, isJobFileName, jidInName } from '../../queue/files/stored-names.ts';
import { findJobs } from '../../queue/jobs/find-jobs.ts';
import type { Queue } from '../../queue/open.ts';
import type { SubmittedEntry } from '../../yaml/read.ts';

interface Reference {
  readonly entry: SubmittedEntry;
  readonly path: string;
}

/** Whether a path is a file of a job as rq prints it: relative to the queue. */
export function isStoredReference(path: string): boolean {
  return isFileKind(path.slice(0, path.indexOf('/'))) && isJobFileName(path);
}

/** Finds an entry that names, as rq prints it, the file of a job of another queue. */
export async function findForeignReference(
  queue: Queue,
  entries: readonly SubmittedEntry[],
): Promise<Reference | undefined> {
  const references = entries.flatMap((entry) =>
    FILE_KINDS.map((kind) => entry[kind])
      .filter((path) => path !== undefined && isStoredReference(path))
      .map((path = '') => ({ entry, path })),
  );
  const jids = references.flatMap(({ path }) => jidInName(path) ?? []);
  const jobs = jids.length === 0 ? new Map<number, never>() : await findJobs(queue, jids);
  return references.find(({ entry, path }) => {
    const jid = jidInName(path);
    // The name of a staged file is never used twice.
    if (jid === undefined) return lstatSync(join(queue.directory, path), { throwIfNoEntry: false }) === undefined;
    // A jid is used in every queue. The printed time, or the command line, tells whether the job is the printed one.
    const job = jobs.get(jid);
    return entry.submitted === undefined ? job?.command !== entry.command : job?.submitted !== entry.submitted;
  });
}

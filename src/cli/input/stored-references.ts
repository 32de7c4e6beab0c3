import { findJobs } from '../../queue/jobs/find-jobs.ts';
import type { Queue } from '../../queue/open.ts';
import type { SubmittedEntry } from '../../yaml/read.ts';

/** `stdin` and `data` as rq prints them: relative to the queue. */
const STORED = /^(?:stdin|data)\/(?<jid>\d+)(?:\.[0-9a-f]+)?$/;

/** Whether a path is that of a job's file, relative to the queue. */
export function isStoredReference(path: string): boolean {
  return STORED.test(path);
}

/**
 * Finds an entry that names the file of a job, as rq prints it, where the job with this jid is not the printed one. The
 * printed job is of another queue, so the file here belongs to another job.
 */
export async function findForeignReference(
  queue: Queue,
  entries: readonly SubmittedEntry[],
): Promise<{ readonly entry: SubmittedEntry; readonly path: string } | undefined> {
  const references = entries.flatMap((entry) =>
    [entry.stdin, entry.data].flatMap((path) => {
      const jid = STORED.exec(path ?? '')?.groups?.['jid'];
      return path === undefined || jid === undefined ? [] : [{ entry, path, jid: Number(jid) }];
    }),
  );
  if (references.length === 0) return undefined;
  const jobs = await findJobs(
    queue,
    references.map(({ jid }) => jid),
  );
  return references.find(({ entry, jid }) => {
    const job = jobs.get(jid);
    // The time can be missing because of --fields; then the command line identifies the job.
    return entry.submitted === undefined ? job?.command !== entry.command : job?.submitted !== entry.submitted;
  });
}

import { RqError } from '../../job/errors.ts';
import { findJobs } from '../../queue/jobs/find-jobs.ts';
import type { Queue } from '../../queue/open.ts';
import type { SubmittedEntry } from '../../yaml/read.ts';

/** What `stdin` and `data` look like in a job that rq printed: relative to its queue. */
const STORED = /^(?:stdin|data)\/(?<jid>\d+)(?:\.[0-9a-f]+)?$/;

/** Whether a path is that of a file of a job, relative to its queue. */
export function isStoredReference(path: string): boolean {
  return STORED.test(path);
}

/**
 * Throws INVALID_INPUT where an entry names a file of a job, as rq prints it, and this queue's job of that jid is not
 * the one that was printed: the file would be another job's.
 */
export async function refuseForeignReferences(
  queue: Queue,
  entries: readonly SubmittedEntry[],
  place: (entry: SubmittedEntry) => string,
): Promise<void> {
  const named = entries.flatMap((entry) =>
    [entry.stdin, entry.data].flatMap((path) => {
      const jid = STORED.exec(path ?? '')?.groups?.['jid'];
      return path === undefined || jid === undefined ? [] : [{ entry, path, jid: Number(jid) }];
    }),
  );
  if (named.length === 0) return;
  const jobs = await findJobs(
    queue,
    named.map(({ jid }) => jid),
  );
  for (const { entry, path, jid } of named) {
    const job = jobs.get(jid);
    // Without the time, which --fields may have left out, the command has to do.
    const isSame = entry.submitted === undefined ? job?.command === entry.command : job?.submitted === entry.submitted;
    if (isSame) continue;
    const advice = 'is not of a job of this queue; give the full path of the file';
    throw new RqError('INVALID_INPUT', `${place(entry)}: ${path} ${advice}`);
  }
}

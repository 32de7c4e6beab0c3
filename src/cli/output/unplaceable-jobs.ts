import { errorCode, errorMessage } from '../../job/errors.ts';
import type { Submission } from '../../job/job.ts';
import { unplaceableJobs } from '../../queue/jobs/why/unplaceable.ts';
import type { Queue } from '../../queue/open.ts';
import type { CommandCall } from '../parse/command-call.ts';

/**
 * Warns about submitted jobs that no host that feeds can ever run. `tasks` is the number of jobs that each submission stands
 * for: those of an array request the same.
 */
export function warnUnplaceable(
  { diagnostics }: CommandCall,
  queue: Queue,
  submissions: readonly Submission[],
  tasks = 1,
): void {
  try {
    const total = submissions.length * tasks;
    for (const [reason, affected] of unplaceableJobs(queue, submissions)) {
      const count = affected * tasks;
      const jobs = count === total ? `the ${total} jobs` : `${count} of the ${total} jobs`;
      diagnostics.warn(`no host can run ${total === 1 ? 'the job: it' : `${jobs}: each`} ${reason}`);
    }
  } catch (error) {
    // The jobs have been submitted, so that the command must not fail.
    if (errorCode(error) === undefined) throw error;
    diagnostics.debug(`cannot read the nodes of ${queue.directory}: ${errorMessage(error)}`);
  }
}

import { RqError } from '../../../job/errors.ts';
import { deleteJobs } from '../../../queue/jobs/delete.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { jobFields, printAfter, printJobs } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import { refusal } from '../../output/refused-jobs.ts';
import { warnOfStayed } from '../../output/remaining-files.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/**
 * Deletes the selected jobs and prints them. Throws JOB_RUNNING after that if one was named that runs, NO_JOB if none
 * was deleted.
 */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  const selection = await requireSelection(call);
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'deleted');
    const { deleted, running, stayed } = await progress.during(deleteJobs(queue, selection, progress.report));
    if (!call.options.flag('quiet')) {
      await printAfter(`deleted ${deleted.length} jobs`, () => printJobs(call, [deleted]));
    }
    warnOfStayed(call, stayed);
    if (running.length > 0) throw refusal('delete', new Map([['running', running]]), call.queue);
    if (deleted.length > 0) return;
    throw new RqError(
      'NO_JOB',
      `nothing deleted: no job in ${queue.directory} that does not run matches ${call.positionals.join(' ') || 'stdin'}`,
    );
  });
}

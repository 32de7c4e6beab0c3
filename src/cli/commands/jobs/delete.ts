import { deleteJobs } from '../../../queue/jobs/delete.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { noJob } from '../../output/no-job.ts';
import { jobFields, printAfter, printJobs } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import { refusedJobs } from '../../output/refused-jobs.ts';
import { warnRemainingFiles } from '../../output/remaining-files.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/**
 * Deletes the selected jobs and prints them. Afterwards throws JOB_RUNNING if the jid of a running job was given, NO_JOB
 * if no job was deleted.
 */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  const selection = await requireSelection(call);
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'deleted');
    const { deleted, running, remaining } = await progress.during(deleteJobs(queue, selection, progress.report));
    if (!call.options.flag('quiet')) {
      await printAfter(`deleted ${deleted.length} jobs`, () => printJobs(call, [deleted]));
    }
    warnRemainingFiles(call, remaining);
    if (running.length > 0) throw refusedJobs(call, new Map([['running', running]]));
    if (deleted.length === 0) throw noJob(call, queue.directory, 'pending, holding or ended');
  });
}

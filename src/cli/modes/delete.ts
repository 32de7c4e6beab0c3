import { RqError } from '../../job/errors.ts';
import { deleteJobs } from '../../queue/delete.ts';
import type { ModeCall } from '../mode-call.ts';
import { jobFields, printAfter, printJobs } from '../print.ts';
import { progressOf } from '../progress.ts';
import { refusal } from '../refusal.ts';
import { requireSelection } from '../selection-input.ts';
import { warnOfStayed } from '../stayed-files.ts';
import { useQueue } from '../use-queue.ts';

/**
 * Deletes the selected jobs and prints them. Throws JOB_RUNNING after that if one was named that runs, NO_JOB if none
 * was deleted.
 */
export async function run(call: ModeCall): Promise<undefined> {
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
      `nothing deleted: no job in ${queue.directory} that does not run matches ${call.words.join(' ') || 'stdin'}`,
    );
  });
}

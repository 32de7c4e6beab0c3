import { wakeFeeder } from '../../../feeder/wake.ts';
import type { JobChange } from '../../../queue/jobs/job-change.ts';
import { resubmitJobs } from '../../../queue/jobs/resubmit.ts';
import type { JobEntry } from '../../../yaml/entry.ts';
import { withJobOptions } from '../../input/job-options.ts';
import { requireSelection, selectorsOf } from '../../input/selection-input.ts';
import { printChanged } from '../../output/changed-jobs.ts';
import { jobFields } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/** Requeues the selected finished and dead jobs, changed by the options, and prints them. */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  const { words, readsStdin } = selectorsOf(call);
  await withJobOptions(call, readsStdin || words.length === 0, (options) => resubmit(call, options));
}

async function resubmit(call: CommandCall, options: JobEntry): Promise<void> {
  const change: JobChange = call.options.flag('stage') ? { ...options, state: 'holding' } : options;
  const selection = await requireSelection(call);
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'resubmitted');
    const result = await progress.during(resubmitJobs(queue, selection, change, progress.report));
    wakeFeeder(queue.directory);
    await printChanged(call, queue, result, 'finished or dead');
  });
}

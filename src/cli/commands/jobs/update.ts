import { wakeFeeder } from '../../../feeder/wake.ts';
import { RqError } from '../../../job/errors.ts';
import { updateJobs } from '../../../queue/jobs/update.ts';
import { readAssignments, splitAssignments } from '../../input/assignments.ts';
import { requireSelection, selectorsOf } from '../../input/selection-input.ts';
import { printChanged } from '../../output/changed-jobs.ts';
import { jobFields } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/** Changes fields of the selected pending and holding jobs, and prints them. */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  const { words, readsStdin } = selectorsOf(call);
  const { assignments, others } = splitAssignments(words);
  if (assignments.length === 0) {
    throw new RqError(
      'USAGE',
      'cannot update: no change is given; give KEY=VALUE, such as priority=9 or tag=null; see rq help update',
    );
  }
  const change = readAssignments(assignments, call.environment);
  const selection = await requireSelection(call, { words: others, readsStdin });
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'updated');
    const result = await progress.during(updateJobs(queue, selection, change, progress.report));
    wakeFeeder(queue.directory);
    await printChanged(call, queue, result, 'pending or holding');
  });
}

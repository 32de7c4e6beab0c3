import { RqError } from '../../../job/errors.ts';
import { updateJobs } from '../../../queue/jobs/update.ts';
import { readAssignments, splitAssignments } from '../../input/assignments.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { workingDirectory } from '../../input/submission.ts';
import { reportChanged } from '../../output/changed-jobs.ts';
import { jobFields } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/** Changes fields of the selected pending and holding jobs, and prints them. */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  const { assignments, others } = splitAssignments(call.positionals);
  if (assignments.length === 0) {
    throw new RqError('USAGE', 'cannot update: say what, such as priority=9 or tag=null; rq help update says more');
  }
  const change = readAssignments(assignments, () => workingDirectory(call.environment));
  // A literal word of a selection stays literal: "-" behind "--" is no stdin.
  const literalFrom = call.positionals.slice(0, call.literalFrom).filter((word) => others.includes(word)).length;
  const selection = await requireSelection({ ...call, positionals: others, literalFrom });
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'updated');
    await reportChanged(call, queue, await progress.during(updateJobs(queue, selection, change, progress.report)));
  });
}

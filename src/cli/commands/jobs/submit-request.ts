import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import type { JidRange } from '../../../job/selection.ts';
import { submitJobs } from '../../../queue/jobs/submit.ts';
import type { Queue } from '../../../queue/open.ts';
import { taskSubmissions } from '../../input/array/tasks.ts';
import type { JobRequest } from '../../input/job-request.ts';
import { makeSubmissions } from '../../input/submissions.ts';
import { progressOf } from '../../output/progress.ts';
import { warnUnplaceable } from '../../output/unplaceable-jobs.ts';

/** Submits the jobs of a call in one transaction. */
export async function submitRequest(queue: Queue, { call, jobs, options, array }: JobRequest): Promise<JidRange> {
  const submissions = await makeSubmissions(call, queue, jobs, options);
  const [base] = submissions;
  const list = array === undefined || base === undefined ? submissions : taskSubmissions(base, array.tasks);
  const progress = progressOf(call, 'submitted');
  const range = await progress.during(submitJobs(queue, list, progress.report, array?.limits));
  wakeFeeder(queue.directory);
  warnUnplaceable(call, queue, submissions, list.length / submissions.length);
  if (range.deathReason !== undefined) {
    call.diagnostics.warn(`${call.command}: a new job is dead, because it ${range.deathReason}`);
  }
  return range;
}

import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import type { JidRange } from '../../../job/selection.ts';
import { submitJobs } from '../../../queue/jobs/submit.ts';
import type { Queue } from '../../../queue/open.ts';
import type { JobRequest } from '../../input/job-request.ts';
import { makeSubmissions } from '../../input/submissions.ts';
import { progressOf } from '../../output/progress.ts';

/** Submits the jobs of a call in one transaction. */
export async function submitRequest(queue: Queue, { call, jobs, options }: JobRequest): Promise<JidRange> {
  const submissions = await makeSubmissions(call, queue, jobs, options);
  const progress = progressOf(call, 'submitted');
  const range = await progress.during(submitJobs(queue, submissions, progress.report));
  wakeFeeder(queue.directory);
  return range;
}

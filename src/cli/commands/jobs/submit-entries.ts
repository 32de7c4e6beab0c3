import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import type { JidRange } from '../../../job/selection.ts';
import { submitJobs } from '../../../queue/jobs/submit.ts';
import type { Queue } from '../../../queue/open.ts';
import type { JobEntry } from '../../../yaml/entry.ts';
import { readEntries } from '../../input/entries.ts';
import { makeSubmissions } from '../../input/submissions.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';

/** Submits the command line of a call, or its list of jobs, in one transaction. */
export async function submitEntries(call: CommandCall, queue: Queue, options: JobEntry): Promise<JidRange> {
  const entries = await readEntries(call);
  const submissions = await makeSubmissions(call, queue, entries, options);
  const progress = progressOf(call, 'submitted');
  const range = await progress.during(submitJobs(queue, submissions, progress.report));
  wakeFeeder(queue.directory);
  return range;
}

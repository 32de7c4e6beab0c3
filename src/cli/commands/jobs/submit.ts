import { wakeFeeder } from '../../../feeder/wake.ts';
import { submitJobs } from '../../../queue/jobs/submit.ts';
import type { Queue } from '../../../queue/open.ts';
import type { JobEntry } from '../../../yaml/entry.ts';
import { listPath, readEntries } from '../../input/entries.ts';
import { withJobOptions } from '../../input/job-options.ts';
import { makeSubmissions } from '../../input/submissions.ts';
import { jobFields } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import { printSubmitted } from '../../output/submitted-jobs.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/** Submits one command line, or a list of them, in one transaction, and prints the jobs. */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  const isListOnStdin = listPath(call) === '-';
  await useQueue(call, (queue) => withJobOptions(call, isListOnStdin, (options) => submit(call, queue, options)));
}

async function submit(call: CommandCall, queue: Queue, options: JobEntry): Promise<void> {
  const entries = await readEntries(call);
  const submissions = await makeSubmissions(call, queue, entries, options);
  const progress = progressOf(call, 'submitted');
  const range = await progress.during(submitJobs(queue, submissions, progress.report));
  wakeFeeder(queue.directory);
  await printSubmitted(call, queue, [range]);
}

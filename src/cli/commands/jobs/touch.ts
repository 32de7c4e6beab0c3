import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import { touchJobs } from '../../../queue/jobs/touch.ts';
import type { Queue } from '../../../queue/open.ts';
import { type JobRequest, withJobRequest } from '../../input/job-request.ts';
import { makeSubmissions } from '../../input/submissions.ts';
import { printSubmitted } from '../../output/submitted-jobs.ts';
import { warnUnplaceable } from '../../output/unplaceable-jobs.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';
import { SUBMIT_OPTIONS } from './submit-options.ts';

export const spec: CommandSpec = {
  name: 'touch',
  short: ['to'],
  summary: 'submit jobs that are not already pending',
  report: JOB_FIELDS,
  positionals: '[COMMAND…]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: SUBMIT_OPTIONS,
  description: [
    'Submits jobs as "submit" does, but does not submit a job that is already pending. ' +
      'If a pending job has the same command line and tag, "touch" applies the options to the pending job. ' +
      'The pending job keeps its jid and its place in the queue. ' +
      '"touch" is useful in cron jobs.',
  ],
  examples: [
    ["rq q touch --tag nightly './sync.sh'", 'submit the job unless the same job is already pending'],
    ['rq q touch --priority 5 < commands.txt', 'submit or update one job per line'],
  ],
};

/** Submits jobs, but updates a pending job with the same command line and tag in place of adding another one. */
export async function run(call: CommandCall): Promise<undefined> {
  await useQueue(call, (queue) => withJobRequest(call, (request) => touch(queue, request)));
}

async function touch(queue: Queue, { call, jobs, options }: JobRequest): Promise<void> {
  const submissions = await makeSubmissions(call, queue, jobs, options);
  const ranges = await touchJobs(queue, submissions);
  wakeFeeder(queue.directory);
  warnUnplaceable(call, queue, submissions);
  await printSubmitted(call, queue, ranges);
}

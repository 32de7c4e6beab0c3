import { wakeFeeder } from '../../../feeder/wake.ts';
import { SUBMITTER_FIELDS } from '../../../job/columns.ts';
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
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';
import { SUBMIT_OPTIONS } from './submit-options.ts';

export const spec: CommandSpec = {
  name: 'submit',
  short: ['s'],
  summary: 'submit jobs',
  positionals: '[COMMAND…]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: SUBMIT_OPTIONS,
  description: [
    'One argument is a shell command line. Several arguments are a program and its arguments, and each is quoted so ' +
      'that the job gets exactly these arguments. Put -- before a program that has options of its own. Arguments after ' +
      '-- are never options of rq.',
    'Without a command line, or with - or --infile, rq reads a list of jobs. The list has one job per line; blank lines ' +
      'and lines that begin with # are skipped, and white space within a line is kept. The list can also be YAML or ' +
      'JSON as printed by rq, which begins with ---, with "- …", or with a JSON array or object. rq reads these ' +
      `fields from it: ${SUBMITTER_FIELDS.join(', ')}. A list that does not begin with ---, but has a ` +
      'line such as "command: …" or "jid: 42", is refused. Options on the command line take precedence over the list.',
    'Either all jobs of a call enter the queue, or none. The submitted jobs are printed, unless --quiet is given.',
  ],
  examples: [
    ["rq q submit 'sort big.txt > sorted.txt'", 'submit a shell command line'],
    ['rq q submit -- python train.py --epochs 10', 'submit a program that has options of its own'],
    ['rq q submit --priority 5 --tag night < commands.txt', 'submit one job per line'],
    ['rq q list dead | rq q submit -', 'submit dead jobs again, as new jobs'],
  ],
};

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

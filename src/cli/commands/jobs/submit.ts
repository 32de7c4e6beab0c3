import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { SUBMITTER_FIELDS } from '../../../job/columns.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import { submitJobs } from '../../../queue/jobs/submit.ts';
import type { Queue } from '../../../queue/open.ts';
import { type JobRequest, withJobRequest } from '../../input/job-request.ts';
import { makeSubmissions } from '../../input/submissions.ts';
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
  report: JOB_FIELDS,
  positionals: '[COMMAND…]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: SUBMIT_OPTIONS,
  description: [
    'A single argument is a shell command line. ' +
      'Several arguments are a program and its arguments, which rq quotes and passes to the program unchanged. ' +
      'Put "--" before a program that has its own options. ' +
      'rq never interprets arguments after "--" as its own options.',
    'If you specify no command line, or "-" or --infile, rq reads a list of jobs. ' +
      'The list has one command line per line. ' +
      'rq skips blank lines and lines that begin with "#", and keeps white space within a line. ' +
      'The list can also be YAML or JSON as printed by rq. ' +
      'A YAML or JSON list begins with "---", with "- …", or with a JSON array or object. ' +
      `rq reads the fields ${SUBMITTER_FIELDS.join(', ')} of each job. ` +
      'rq refuses a list that contains parts of a job in YAML but does not begin with "---". ' +
      'Options on the command line take precedence over the list.',
    'With --script, the positional arguments are the arguments of the script. ' +
      'Options in the script apply unless the variable RQ_OPTS or the command line specifies the same option.',
    'A "submit" command submits either all of its jobs or none. ' +
      'rq prints the submitted jobs unless you specify --quiet.',
  ],
  examples: [
    ["rq q submit 'sort big.txt > sorted.txt'", 'submit a shell command line'],
    ['rq q submit -- python train.py --epochs 10', 'submit a program that has its own options'],
    ['rq q submit --priority 5 --tag night < commands.txt', 'submit one job per line'],
    ['rq q list dead | rq q submit -', 'submit the dead jobs again, as new jobs'],
  ],
};

/** Submits one command line, or a list of them, in one transaction, and prints the jobs. */
export async function run(call: CommandCall): Promise<undefined> {
  await useQueue(call, (queue) => withJobRequest(call, (request) => submit(queue, request)));
}

async function submit(queue: Queue, { call, jobs, options }: JobRequest): Promise<void> {
  const submissions = await makeSubmissions(call, queue, jobs, options);
  const progress = progressOf(call, 'submitted');
  const range = await progress.during(submitJobs(queue, submissions, progress.report));
  wakeFeeder(queue.directory);
  await printSubmitted(call, queue, [range]);
}

import { SUBMITTER_FIELDS } from '../../../job/columns.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import type { Queue } from '../../../queue/open.ts';
import { JidSet } from '../../../queue/wait/jid-set.ts';
import { type JobRequest, withJobRequest } from '../../input/job-request.ts';
import { printSubmitted } from '../../output/submitted-jobs.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';
import { awaitJobs, endWithPipe } from '../waiting/await-jobs.ts';
import { WAIT_STATUS } from '../waiting/wait-help.ts';
import { ARRAY_OPTIONS } from './array-options.ts';
import { SUBMIT_OPTIONS } from './submit-options.ts';
import { submitRequest } from './submit-request.ts';

export const spec: CommandSpec = {
  name: 'submit',
  short: ['s'],
  summary: 'submit jobs',
  report: JOB_FIELDS,
  positionals: '[COMMAND…]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [
    ...SUBMIT_OPTIONS,
    ...ARRAY_OPTIONS,
    { name: 'wait', type: 'flag', help: 'Wait until the jobs have ended, and exit with their status.' },
  ],
  description: [
    'A single argument is a shell command line. ' +
      'Several arguments are a program and its arguments, which rq quotes and passes to the program unchanged. ' +
      'Put "--" before a program that has its own options. ' +
      'rq never interprets arguments after "--" as its own options.',
    'If you specify no command line, or "-" or --infile, rq reads a list of jobs. ' +
      'The list has one command line per line. ' +
      'rq skips blank lines and lines that begin with "#", and keeps white space within a line. ' +
      'The list can also be YAML or JSON as printed by rq. ' +
      'A YAML or JSON list begins with "---", with "-", or with a JSON array or object. ' +
      `rq reads the fields ${SUBMITTER_FIELDS.join(', ')} of each job. ` +
      'rq refuses a list that contains parts of a job in YAML but does not begin with "---". ' +
      'Options on the command line take precedence over the list.',
    'With --script, the positional arguments are the arguments of the script. ' +
      'Options in the script apply unless the variable RQ_OPTS or the command line specifies the same option.',
    'With --array or --for, the command line is that of many jobs, which are the tasks of an array. ' +
      'All tasks have the jid of the first one in the field "array", and each has an "index" (RQ_INDEX). ' +
      '--for submits a task for each combination of the values of all names; the last name varies fastest. ' +
      'In the command line, {NAME} is replaced by the value, quoted for the shell. ' +
      'A task has its values in the field "for" and in the variables RQ_FOR_NAME.',
    'A "submit" command submits either all of its jobs or none. ' +
      'rq prints the submitted jobs unless you specify --quiet. With --plain, it prints only their jids.',
    `With --wait, rq then waits until the jobs have ended. ${WAIT_STATUS}`,
  ],
  examples: [
    ["rq q submit 'sort big.txt > sorted.txt'", 'submit a shell command line'],
    ['rq q submit -- python train.py --epochs 10', 'submit a program that has its own options'],
    ['rq q submit --priority 5 --tag night < commands.txt', 'submit one job per line'],
    ["rq q submit --for lr=0.1,0.01 --for seed=1..5 'python train.py {lr} {seed}'", 'submit ten tasks of a sweep'],
  ],
};

/** Submits one command line, or a list of them, in one transaction, and prints the jobs. With `--wait`, waits for them. */
export async function run(given: CommandCall): Promise<number | undefined> {
  return await useQueue(given, (queue) =>
    withJobRequest(given, (request) =>
      given.options.flag('wait') ? endWithPipe(() => submitAndWait(queue, request)) : submit(queue, request),
    ),
  );
}

async function submit(queue: Queue, request: JobRequest): Promise<undefined> {
  await printSubmitted(request.call, queue, [await submitRequest(queue, request)]);
}

async function submitAndWait(queue: Queue, request: JobRequest): Promise<number> {
  const range = await submitRequest(queue, request);
  await printSubmitted(request.call, queue, [range]);
  return await awaitJobs(request.call, queue, new JidSet([range]), { print: false });
}

import { RqError } from '../../../job/errors.ts';
import { findJobs } from '../../../queue/jobs/find-jobs.ts';
import type { Queue } from '../../../queue/open.ts';
import { followJob, type JobEvent } from '../../../queue/wait/follow-job.ts';
import type { QueueChanges } from '../../../queue/wait/queue-changes.ts';
import type { EndedJob } from '../../../queue/wait/wait-for-ends.ts';
import { listPath } from '../../input/entries.ts';
import { type JobRequest, withJobRequest } from '../../input/job-request.ts';
import { statusOfSignal, WAIT_EXIT } from '../../output/exit-status.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';
import { SUBMIT_OPTIONS } from '../jobs/submit-options.ts';
import { submitRequest } from '../jobs/submit-request.ts';
import { changesOf, endWithPipe, warnWithoutFeeder } from './await-jobs.ts';
import { endJob } from './end-job.ts';
import { Interruption } from './interruption.ts';
import { statusOfEnd } from './job-status.ts';
import { RunPrinter } from './run-printer.ts';
import { WAIT_STATUS } from './wait-help.ts';

/** Options of submit that make no sense for one job whose output is printed. */
const NOT_FOR_ONE_JOB = new Set(['infile', 'stage', 'quiet']);

export const spec: CommandSpec = {
  name: 'run',
  summary: 'submit a job, print its output, and exit with its status',
  positionals: '[COMMAND…]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [
    ...SUBMIT_OPTIONS.filter(({ name }) => !NOT_FOR_ONE_JOB.has(name)),
    { name: 'detach', type: 'flag', help: 'Leave the job running if a signal ends rq.' },
  ],
  description: [
    'Submits one job, copies its stdout and stderr to those of rq while the job writes them, and waits until it ends. ' +
      'The command line has the same form as for "submit".',
    WAIT_STATUS,
    'Ctrl-C or SIGTERM kills the job, and rq waits until it has ended. ' +
      'A second Ctrl-C ends rq at once. ' +
      'If the terminal is closed, the job continues.',
  ],
  examples: [
    ["rq q run 'sort big.txt | uniq -c' > counts.txt", 'run a shell command line on any host of the queue'],
    ['rq q run -- python train.py --epochs 10', 'run a program that has its own options'],
  ],
};

/** Submits a job, copies its output, and returns its exit status. */
export async function run(call: CommandCall): Promise<number> {
  if (listPath(call) !== undefined) {
    throw new RqError('USAGE', 'cannot run a list of jobs: give one command line, or use "submit --wait" for a list');
  }
  const interruption = new Interruption();
  interruption.start();
  try {
    return await useQueue(call, (queue) =>
      withJobRequest(call, (request) => endWithPipe(() => runJob(queue, request, interruption))),
    );
  } finally {
    interruption.stop();
  }
}

async function runJob(queue: Queue, request: JobRequest, interruption: Interruption): Promise<number> {
  const { call } = request;
  const { first: jid } = await submitRequest(queue, request);
  const changes = await changesOf(call, queue);
  interruption.handle(() => void interrupt(call, jid, changes));
  const job = (await findJobs(queue, [jid])).get(jid);
  await warnWithoutFeeder(call, queue);
  const printer = new RunPrinter(call, jid);
  const ended = job && (await printAll(followJob(queue, job, changes), printer));
  printer.stop();
  const { signal } = interruption;
  if (signal !== undefined) return statusOfSignal(signal) ?? WAIT_EXIT.noStatus;
  return ended === undefined ? WAIT_EXIT.noStatus : statusOfEnd(ended);
}

async function printAll(
  events: AsyncGenerator<JobEvent, EndedJob | undefined>,
  printer: RunPrinter,
): Promise<EndedJob | undefined> {
  for (;;) {
    const { done, value } = await events.next();
    if (done === true) return value;
    await printer.print(value);
  }
}

/** Ends the job, whose end `run` then sees; or stops waiting for it. */
async function interrupt(call: CommandCall, jid: number, changes: QueueChanges): Promise<void> {
  if (!call.options.flag('detach') && (await endJob(call, jid))) return;
  call.diagnostics.warn(`job ${jid} was left in the queue; follow its output with: rq ${call.queue} tail ${jid}`);
  changes.stop();
}

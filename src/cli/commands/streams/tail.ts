import type { Job } from '../../../job/job.ts';
import { follow } from '../../../queue/follow/follow.ts';
import { selectJobs } from '../../../queue/jobs/select.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { noJob } from '../../output/no-job.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';
import { STDIN_DEFAULT, STDIN_JIDS } from '../jobs/selection-help.ts';
import { TailPrinter } from './tail-printer.ts';

export const spec: CommandSpec = {
  name: 'tail',
  short: ['ta'],
  summary: 'follow the output of jobs',
  positionals: 'SELECTION…',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [
    { name: 'stderr', type: 'flag', help: 'Follow stderr instead of stdout.' },
    {
      name: 'lines',
      short: 'n',
      type: 'integer',
      value: 'N',
      min: 0,
      max: 1e9,
      help: 'Number of lines of existing output to print first (default 10).',
    },
    { name: 'from-start', type: 'flag', help: 'Print the output from the beginning. Overrides --lines.' },
  ],
  description: [
    'Prints the output of the selected jobs unchanged, as the jobs write it. ' +
      '"tail" waits for jobs that have not started. ' +
      '"tail" exits when all selected jobs have ended and all of their output has been printed. ' +
      'If a job starts again, "tail" prints the new output from the beginning. ' +
      '"tail" does not follow jobs that are submitted later.',
    'If several jobs are selected, a line such as "==> job 42 stdout <==" precedes the output of each job. ' +
      'On stderr, "tail" reports jobs that are waiting, have failed, are dead or have been deleted. ' +
      'A failed job does not change the exit status of rq.',
    `Selections have the same syntax as for "list". ${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q tail 42', 'print the last ten lines of the output of a job, and then follow the output'],
    ['rq q tail running --stderr --lines 0', 'follow the new stderr output of all running jobs'],
    ['rq q tail 42 --from-start > log', 'save all output of a job, and exit when the job ends'],
  ],
};

const DEFAULT_LINES = 10;

/** Follows the output of the selected jobs until all have ended. Throws NO_JOB if none matches. */
export async function run(call: CommandCall): Promise<undefined> {
  const selection = await requireSelection(call);
  const { options } = call;
  // Following a job can take days, so an outage of the file server should not end it.
  if (options.number('lock-timeout') === undefined) call.activity.ignoreTimeout();
  const stream = options.flag('stderr') ? 'stderr' : 'stdout';
  const lines = options.flag('from-start') ? Number.POSITIVE_INFINITY : (options.number('lines') ?? DEFAULT_LINES);
  const printer = new TailPrinter(call, stream);
  let count = 0;
  async function* counted(batches: AsyncIterable<readonly Job[]>): AsyncGenerator<readonly Job[]> {
    for await (const batch of batches) {
      count += batch.length;
      printer.hasHeaders = count > 1;
      yield batch;
    }
  }
  await useQueue(call, async (queue) => {
    for await (const event of follow(queue, counted(selectJobs(queue, selection)), { stream, lines })) {
      await printer.print(event);
    }
    if (count === 0) throw noJob(call, queue.directory);
  });
}

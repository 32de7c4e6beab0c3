import type { Job } from '../../../job/job.ts';
import { follow } from '../../../queue/follow/follow.ts';
import { selectJobs } from '../../../queue/jobs/select.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { noJob } from '../../output/no-job.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';
import { TailPrinter } from './tail-printer.ts';

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

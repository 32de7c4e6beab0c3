import { queueStatus } from '../../queue/status.ts';
import { readExitCounts } from '../exit-counts.ts';
import type { ModeCall } from '../mode-call.ts';
import { printReport } from '../print.ts';
import { useReader } from '../use-queue.ts';

/** Prints how the queue's jobs and nodes do. */
export async function run(call: ModeCall): Promise<undefined> {
  const counts = readExitCounts(call.options.text('exit'));
  const status = await useReader(call, (queue) => queueStatus(queue, counts));
  await printReport(call, status);
}

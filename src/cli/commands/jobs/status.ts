import { queueStatus } from '../../../queue/status.ts';
import { readExitCounts } from '../../input/exit-counts.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useReader } from '../../use-queue.ts';

/** Prints job and node status. */
export async function run(call: CommandCall): Promise<undefined> {
  const counts = readExitCounts(call.options.text('exit'));
  const status = await useReader(call, (queue) => queueStatus(queue, counts));
  await printReport(call, status);
}

import { queueStatus } from '../../queue/status.ts';
import type { ModeCall } from '../mode-call.ts';
import { printReport } from '../print.ts';
import { useQueue } from '../use-queue.ts';

/** Prints how the queue's jobs and nodes do. */
export async function run(call: ModeCall): Promise<undefined> {
  const status = await useQueue(call, queueStatus);
  await printReport(call, status);
}

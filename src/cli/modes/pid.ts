import { requireFeeder } from '../feeder-process.ts';
import type { ModeCall } from '../mode-call.ts';
import { printReport } from '../print.ts';

/** Prints the pid of this host's feeder. */
export async function run(call: ModeCall): Promise<undefined> {
  const { pid } = await requireFeeder(call.queue);
  await printReport(call, { pid });
}

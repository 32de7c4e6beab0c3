import { nodeReports } from '../../queue/node-status.ts';
import type { ModeCall } from '../mode-call.ts';
import { printReports } from '../print.ts';
import { useReader } from '../use-queue.ts';

/** Prints the queue's nodes as a list. */
export async function run(call: ModeCall): Promise<undefined> {
  await printReports(call, await useReader(call, nodeReports));
}

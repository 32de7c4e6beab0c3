import { nodeReports } from '../../../queue/nodes/node-status.ts';
import { printReports } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useReader } from '../../use-queue.ts';

/** Prints the queue's nodes as a list. */
export async function run(call: CommandCall): Promise<undefined> {
  await printReports(call, await useReader(call, nodeReports));
}

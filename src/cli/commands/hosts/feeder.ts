import { resolve } from 'node:path';
import { readRunnerPid } from '../../../feeder/start/runner-pid.ts';
import { runtimeDirectory } from '../../../job/runtime-directory.ts';
import { runningJobs } from '../../../queue/exchange/exchange.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';
import { requireFeeder } from './feeder-process.ts';

/** Prints what this host's feeder is and does. */
export async function run(call: CommandCall): Promise<undefined> {
  const { pid, host, since, slots, queue: path } = await requireFeeder(call.queue);
  const running = await useQueue(call, (queue) => runningJobs(queue, host));
  const runner = readRunnerPid(runtimeDirectory(resolve(path))) ?? null;
  await printReport(call, { pid, runner, host, since, slots, running: running.map(({ jid }) => jid), queue: path });
}

import { resolve } from 'node:path';
import { readRunnerPid } from '../../../feeder/start/runner-pid.ts';
import { runtimeDirectory } from '../../../job/runtime-directory.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { requireFeeder } from './feeder-process.ts';

/** Prints the pids of this host's feeder and of its runner. */
export async function run(call: CommandCall): Promise<undefined> {
  const { pid, queue } = await requireFeeder(call.queue);
  await printReport(call, { pid, runner: readRunnerPid(runtimeDirectory(resolve(queue))) ?? null });
}

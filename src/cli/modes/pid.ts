import { resolve } from 'node:path';
import { readRunnerPid } from '../../feeder/runner-pid.ts';
import { runtimeDirectory } from '../../job/runtime-directory.ts';
import { requireFeeder } from '../feeder-process.ts';
import type { ModeCall } from '../mode-call.ts';
import { printReport } from '../print.ts';

/** Prints the pids of this host's feeder and of its runner. */
export async function run(call: ModeCall): Promise<undefined> {
  const { pid, queue } = await requireFeeder(call.queue);
  await printReport(call, { pid, runner: readRunnerPid(runtimeDirectory(resolve(queue))) ?? null });
}

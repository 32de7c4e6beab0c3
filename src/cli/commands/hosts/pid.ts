import { resolve } from 'node:path';
import { runtimeDirectory } from '../../../feeder/runtime/queue-record.ts';
import { readRunnerPid } from '../../../feeder/runtime/runner-pid.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { requireFeeder } from './feeder-process.ts';

export const spec: CommandSpec = {
  name: 'pid',
  summary: "print the pids of this host's feeder and runner",
  options: [],
  report: ['pid', 'runner'],
  description: [
    "Prints the pids of this host's feeder and its runner. " +
      'The exit status is 1 if no feeder is running on this host.',
  ],
  examples: [
    ['rq q pid', 'print the pids, or fail if no feeder is running'],
    ['rq q pid || rq q start', 'start a feeder if none is running'],
  ],
};

/** Prints the pids of this host's feeder and of its runner. */
export async function run(call: CommandCall): Promise<undefined> {
  const { pid, queue } = await requireFeeder(call.queue);
  await printReport(call, { pid, runner: readRunnerPid(runtimeDirectory(resolve(queue))) ?? null });
}

import { resolve } from 'node:path';
import { runtimeDirectory } from '../../../feeder/runtime/queue-record.ts';
import { readRunnerPid } from '../../../feeder/runtime/runner-pid.ts';
import { runningJobs } from '../../../queue/exchange/exchange.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';
import { requireFeeder } from './feeder-process.ts';

export const spec: CommandSpec = {
  name: 'feeder',
  summary: "show the status of this host's feeder",
  options: [],
  report: ['pid', 'runner', 'host', 'since', 'slots', 'running', 'queue'],
  description: [
    'Prints the pids of the feeder and its runner, the start time, the number of slots and the jids of the running jobs. ' +
      'The exit status is 1 if no feeder is running on this host.',
  ],
  examples: [
    ['rq q feeder', 'print the status as YAML'],
    ['rq q feeder --json', 'print the status as JSON'],
  ],
};

/** Prints the status of this host's feeder. */
export async function run(call: CommandCall): Promise<undefined> {
  const { pid, host, since, slots, queue: path } = await requireFeeder(call.queue);
  const running = await useQueue(call, (queue) => runningJobs(queue, host));
  const runner = readRunnerPid(runtimeDirectory(resolve(path))) ?? null;
  await printReport(call, { pid, runner, host, since, slots, running: running.map(({ jid }) => jid), queue: path });
}

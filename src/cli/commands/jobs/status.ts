import { queueStatus } from '../../../queue/status.ts';
import { readExitCounts } from '../../input/exit-counts.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { SNAPSHOT } from '../../parse/shared-options.ts';
import { useReader } from '../../use-queue.ts';

export const spec: CommandSpec = {
  name: 'status',
  short: ['t'],
  summary: 'show job and node status',
  options: [
    {
      name: 'exit',
      type: 'text',
      value: 'NAME=N,…',
      help: "Also count jobs by exit status under the given names, such as 'ok=42,43 command_not_found=127'.",
    },
    SNAPSHOT,
  ],
  report: ['jobs', 'temporal', 'performance', 'exit_status', 'nodes', 'lease'],
  description: [
    'Prints the number of jobs in each state, the oldest and the newest job in each state, run times and exit statuses. ' +
      '"status" also prints the nodes of the queue and the holder of the lease. ' +
      'For the lease, "status" prints the start time, and the age according to the clock of this host. ' +
      'If the holder of the lease is on this host, "status" also prints the pid of the holder.',
  ],
  examples: [
    ['rq q status', 'print all sections'],
    ['rq q status --fields jobs --json', 'print the job counts as JSON'],
    ["rq q status --exit 'ok=0,3 not_found=127'", 'also count jobs by exit status under the names ok and not_found'],
  ],
};

/** Prints job and node status. */
export async function run(call: CommandCall): Promise<undefined> {
  const counts = readExitCounts(call.options.text('exit'));
  const { report, isOlder } = await useReader(call, (queue) => queueStatus(queue, counts));
  if (isOlder) {
    call.diagnostics.warn(
      `an older version of rq created ${call.queue}; before you change it, run: rq ${call.queue} upgrade`,
    );
  }
  await printReport(call, report);
}

import type { Queue } from '../../../queue/open.ts';
import { selectionStatus } from '../../../queue/selection-status.ts';
import { queueStatus } from '../../../queue/status.ts';
import { readExitCounts } from '../../input/exit-counts.ts';
import { isEmptySelection } from '../../input/selection.ts';
import { readSelection, selectorsOf } from '../../input/selection-input.ts';
import { noJob } from '../../output/no-job.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { SNAPSHOT } from '../../parse/shared-options.ts';
import { useReader } from '../../use-queue.ts';
import { SELECTION, STDIN_JIDS } from './selection-help.ts';

type ExitCounts = ReadonlyMap<string, readonly number[]>;

export const spec: CommandSpec = {
  name: 'status',
  short: ['t'],
  summary: 'show job and node status',
  positionals: '[SELECTION…]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [
    {
      name: 'exit',
      type: 'text',
      value: 'NAME=N,…',
      help: "Also count jobs by exit status under the given names, such as 'ok=42,43 command_not_found=127'.",
    },
    SNAPSHOT,
  ],
  report: ['jobs', 'temporal', 'performance', 'exit_status', 'failures', 'nodes', 'lanes', 'lease'],
  description: [
    'Prints the number of jobs in each state, the oldest and the newest job in each state, run times and exit statuses. ' +
      'Dead jobs count as failures. ' +
      '"status" also prints the nodes of the queue, the lanes with a limit or with running jobs, and the holder of the lease. ' +
      'For the lease, "status" prints the start time, and the age according to the clock of this host. ' +
      'If the holder of the lease is on this host, "status" also prints the pid of the holder.',
    'jobs_an_hour is the rate at which jobs finished in the last hour. ' +
      'If fewer than ten jobs finished in that hour, rq uses the last 12 or 24 hours. ' +
      'time_left is the time that the pending and running jobs need at this rate; holding jobs do not count.',
    'With a selection, "status" describes only the selected jobs, and does not print the nodes, the lanes and the lease. ' +
      '"failures" counts the failed jobs by exit status or signal, and by host. ' +
      'cpu_time is the processor time of the selected jobs.',
    SELECTION,
    STDIN_JIDS,
  ],
  examples: [
    ['rq q status', 'print all sections'],
    ['rq q status tag=night', 'print the status of the jobs with the tag night'],
    ['rq q status --fields jobs --json', 'print the job counts as JSON'],
    ["rq q status --exit 'ok=0,3 not_found=127'", 'also count jobs by exit status under the names ok and not_found'],
  ],
};

/** Prints job and node status, or the status of the selected jobs. Throws NO_JOB if a selection matches none. */
export async function run(call: CommandCall): Promise<undefined> {
  const exitCounts = readExitCounts(call.options.text('exit'));
  const selection = await readSelection(call, selectorsOf(call));
  await useReader(call, async (queue) => {
    if (isEmptySelection(selection)) return await printQueueStatus(call, queue, exitCounts);
    const { report, total } = await selectionStatus(queue, selection, exitCounts);
    await printReport(call, report);
    if (total === 0) throw noJob(call, queue.directory);
  });
}

async function printQueueStatus(call: CommandCall, queue: Queue, exitCounts: ExitCounts): Promise<void> {
  const { report, isOlder } = await queueStatus(queue, exitCounts);
  if (isOlder) {
    call.diagnostics.warn(
      `an older version of rq created ${call.queue}; before you change it, run: rq ${call.queue} upgrade`,
    );
  }
  await printReport(call, report);
}

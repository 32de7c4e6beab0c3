import { nodeReports } from '../../../queue/nodes/node-status.ts';
import { printReports } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { FORM_OPTIONS, SNAPSHOT } from '../../parse/shared-options.ts';
import { useReader } from '../../use-queue.ts';

const TABLE = ['host', 'state', 'slots', 'running', 'memory', 'gpus', 'age', 'version', 'drained'];

export const spec: CommandSpec = {
  name: 'nodes',
  summary: 'show the hosts that feed from the queue',
  options: [SNAPSHOT, ...FORM_OPTIONS],
  report: [
    ...['host', 'state', 'slots', 'running', 'cpus', 'memory', 'gpus', 'have', 'used'],
    ...['last_beat', 'age', 'pid', 'version', 'started', 'login', 'drained', 'drained_by', 'reason'],
  ],
  description: [
    'Prints the hosts that feed from the queue. ' +
      'The state is "feeding", "silent" (no recent heartbeat) or "lost". ' +
      'If a host is "lost", other hosts have requeued or ended its jobs (see lost_after in "rq help configure"). ' +
      '"nodes" does not list hosts whose feeder has been shut down, unless they are drained; their state is "absent".',
    'last_beat is the time of the last heartbeat. ' +
      'age is the number of seconds since the last heartbeat, according to the clock of this host.',
    'cpus, memory (in bytes), gpus and have say what the host has for jobs. ' +
      'used says what its running jobs take: one cpu, or what they request with --cpus, --memory and --gpus. ' +
      'slots is equal to cpus.',
    'login says why the feeder cannot read the login environment of its jobs, for example because a profile hangs. ' +
      'Jobs then get the environment that was read before, or that of the feeder. ' +
      'login is absent if the feeder could read it.',
    'drained is the time since which the host claims no jobs. drained_by and reason say who drained it and why.',
  ],
  examples: [
    ['rq q nodes', 'print all nodes'],
    ['rq q nodes --table', 'print a table'],
    ['rq q nodes --fields host,state,running --json', 'print three fields as JSON'],
    ['rq q nodes --fields host,cpus,memory,gpus,used', 'print what the hosts have and what is used'],
  ],
};

/** Prints the nodes of the queue. */
export async function run(call: CommandCall): Promise<undefined> {
  await printReports(call, await useReader(call, nodeReports), TABLE);
}

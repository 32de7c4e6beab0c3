import type { FeederRecord } from '../../../feeder/runtime/pid-file.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { reportCronRestart } from './cron-facts.ts';
import { feederIsGone, refuseLeftRunning, requireFeeder, signalFeeder } from './feeder-process.ts';

export const spec: CommandSpec = {
  name: 'shutdown',
  summary: "end this host's feeder when its running jobs have finished",
  options: [],
  report: ['pid', 'ended'],
  description: [
    "Tells this host's feeder to start no more jobs, and waits until the running jobs and the feeder have ended.",
  ],
  examples: [
    ['rq q shutdown', 'prepare this host for maintenance'],
    ['ssh node7 rq q shutdown', 'shut down the feeder on another host'],
  ],
};

/** Ends this host's feeder when its jobs have finished. */
export async function run(call: CommandCall): Promise<undefined> {
  const feeder = await requireFeeder(call.queue);
  await shutDown(call, feeder);
  await reportCronRestart(call);
  await printReport(call, { pid: feeder.pid, ended: true });
}

/** Tells a feeder to start no more jobs, and waits until it has ended. */
export async function shutDown(call: CommandCall, feeder: FeederRecord): Promise<void> {
  signalFeeder(feeder, 'SIGTERM');
  call.diagnostics.info(`waiting for the running jobs of the feeder with pid ${feeder.pid}`);
  await feederIsGone(call.queue, feeder);
  await refuseLeftRunning(
    call,
    feeder,
    `run rq ${call.queue} start to take over the jobs, or rq ${call.queue} stop to kill them`,
  );
}

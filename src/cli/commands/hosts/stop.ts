import { feed } from '../../../feeder/feed.ts';
import type { FeederRecord } from '../../../feeder/runtime/pid-file.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { reportCronRestart } from './cron-facts.ts';
import { feedOptions } from './feeder-call.ts';
import { feederIsGone, findFeeder, refuseLeftRunning, signalFeeder } from './feeder-process.ts';

export const spec: CommandSpec = {
  name: 'stop',
  summary: 'kill the jobs on this host and end the feeder',
  options: [],
  report: ['pid', 'ended'],
  description: [
    'Kills the jobs of the queue on this host (first with SIGTERM, then with SIGKILL) and ends the feeder. ' +
      'Restartable jobs return to pending, and other jobs become finished with a reason.',
  ],
  examples: [
    ['rq q stop', 'free this host immediately'],
    ['ssh node7 rq q stop', 'stop the feeder on another host'],
  ],
};

/** Kills the jobs of this host and ends its feeder. */
export async function run(call: CommandCall): Promise<undefined> {
  const feeder = await stopFeeder(call);
  await reportCronRestart(call);
  await printReport(call, { pid: feeder?.pid ?? null, ended: feeder !== undefined });
}

/** As `stop`, also for jobs that a dead feeder left running. Returns the ended feeder, if there was one. */
export async function stopFeeder(call: CommandCall): Promise<FeederRecord | undefined> {
  const feeder = await findFeeder(call.queue);
  if (feeder === undefined) {
    // Its jobs may have outlived it: adopt them in order to kill them.
    await feed({ ...feedOptions(call), trustGroup: true, stopAtOnce: true });
  } else {
    signalFeeder(feeder, 'SIGQUIT');
    await feederIsGone(call.queue, feeder);
    await refuseLeftRunning(call, feeder, `kill the jobs with: rq ${call.queue} stop`);
  }
  return feeder;
}

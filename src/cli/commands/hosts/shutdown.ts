import type { FeederRecord } from '../../../feeder/pid-file.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { reportCronRestart } from './cron-facts.ts';
import { feederIsGone, refuseLeftRunning, requireFeeder, signalFeeder } from './feeder-process.ts';

/** Ends this host's feeder when its jobs have finished, and waits for that. */
export async function run(call: CommandCall): Promise<undefined> {
  const feeder = await requireFeeder(call.queue);
  await shutDown(call, feeder);
  await reportCronRestart(call);
  await printReport(call, { pid: feeder.pid, ended: true });
}

/** Tells a feeder to take no more jobs, and waits until it has ended. */
export async function shutDown(call: CommandCall, feeder: FeederRecord): Promise<void> {
  signalFeeder(feeder, 'SIGTERM');
  call.diagnostics.info(`waiting until the jobs of the feeder with pid ${feeder.pid} have finished`);
  await feederIsGone(call.queue, feeder);
  await refuseLeftRunning(
    call,
    feeder,
    `take them over with: rq ${call.queue} start, or kill them with: rq ${call.queue} stop`,
  );
}

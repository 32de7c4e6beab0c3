import { feed } from '../../feeder/feed.ts';
import { feedOptions } from '../feeder-call.ts';
import { feederIsGone, findFeeder, signalFeeder } from '../feeder-process.ts';
import type { ModeCall } from '../mode-call.ts';
import { printReport } from '../print.ts';

/** Ends this host's feeder and kills its jobs; those that a dead feeder left running, too. */
export async function run(call: ModeCall): Promise<undefined> {
  const feeder = await findFeeder(call.queue);
  if (feeder === undefined) {
    // Its jobs may have outlived it: take them over, only to kill them.
    await feed({ ...feedOptions(call), trustGroup: true, stopAtOnce: true });
  } else {
    signalFeeder(feeder, 'SIGQUIT');
    await feederIsGone(call.queue, feeder);
  }
  await printReport(call, { pid: feeder?.pid ?? null, ended: true });
}

import { systemClock } from '../../../job/clock.ts';
import { RqError } from '../../../job/errors.ts';
import { requireCurrentSchema } from '../../../queue/transaction/read.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';
import { feederIsGone, findFeeder, requireFeeder, signalFeeder } from './feeder-process.ts';

export const spec: CommandSpec = {
  name: 'restart',
  summary: "restart this host's feeder; running jobs continue",
  options: [],
  report: ['pid', 'before'],
  description: [
    'Restarts the feeder on this host with the same arguments. ' +
      'Run "restart" after you install a new version of rq. ' +
      'If the new version has a new schema, run "upgrade" instead, and the feeder restarts itself.',
  ],
  examples: [
    ['rq q restart', 'restart the feeder after an upgrade'],
    ['ssh node7 rq q restart', 'restart the feeder on another host'],
  ],
};

const TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** Restarts the program of this host's feeder, and waits for the new feeder. */
export async function run(call: CommandCall): Promise<undefined> {
  const before = await requireFeeder(call.queue);
  // The new feeder would refuse the queue, and the old one would have ended.
  await useQueue(call, requireCurrentSchema);
  signalFeeder(before, 'SIGHUP');
  await feederIsGone(call.queue, before);
  const deadlineMs = systemClock.monotonicMs() + TIMEOUT_MS;
  for (;;) {
    const feeder = await findFeeder(call.queue);
    if (feeder !== undefined) {
      await printReport(call, { pid: feeder.pid, before: before.pid });
      return;
    }
    if (systemClock.monotonicMs() > deadlineMs) {
      throw new RqError(
        'NO_FEEDER',
        `cannot restart the feeder of ${call.queue}: the feeder ended, and no new feeder started within a minute; see the feeder log`,
      );
    }
    await systemClock.sleep(POLL_MS);
  }
}

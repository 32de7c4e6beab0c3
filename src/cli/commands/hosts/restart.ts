import { systemClock } from '../../../job/clock.ts';
import { RqError } from '../../../job/errors.ts';
import { requireCurrentSchema } from '../../../queue/transaction/read.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';
import { findFeeder, requireFeeder, signalFeeder } from './feeder-process.ts';

export const spec: CommandSpec = {
  name: 'restart',
  summary: "restart this host's feeder; running jobs continue",
  options: [],
  report: ['pid', 'before'],
  description: [
    'Restarts the feeder on this host with the same arguments. Run "restart" after you install a new version of rq. ' +
      'If the new program cannot feed, the old feeder continues, and "restart" fails. ' +
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
  let deadlineMs: number | undefined;
  for (;;) {
    const feeder = await findFeeder(call.queue);
    if (feeder !== undefined && feeder.pid !== before.pid) {
      await printReport(call, { pid: feeder.pid, before: before.pid });
      return;
    }
    if (feeder !== undefined && feeder.since !== before.since) throw restartError(call, 'the old feeder continues');
    // The old feeder may take any time to release the pid file, and the new one has a minute to write its own.
    if (feeder === undefined) deadlineMs ??= systemClock.monotonicMs() + TIMEOUT_MS;
    if (deadlineMs !== undefined && systemClock.monotonicMs() > deadlineMs) {
      throw restartError(call, 'no feeder is running');
    }
    await systemClock.sleep(POLL_MS);
  }
}

function restartError({ queue }: CommandCall, state: string): RqError {
  return new RqError(
    'NO_FEEDER',
    `cannot restart the feeder of ${queue}: the new program did not start to feed, and ${state}; see the feeder log`,
  );
}

import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { errorMessage, RqError } from '../../../job/errors.ts';
import type { Selection } from '../../../job/selection.ts';
import { killJobs } from '../../../queue/control/control-jobs.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/**
 * Kills the job of `run` after a signal. Returns false if the job may run on. Opens the queue anew, because the job is being
 * followed at the same time.
 */
export async function endJob(call: CommandCall, jid: number): Promise<boolean> {
  const selection: Selection = { all: false, ranges: [{ first: jid, last: jid }], states: [], pairs: [] };
  try {
    await useQueue(call, async (queue) => {
      await killJobs(queue, selection, { reason: 'rq run was interrupted', grace: undefined });
      wakeFeeder(queue.directory);
    });
    return true;
  } catch (error) {
    if (!(error instanceof RqError)) throw error;
    call.diagnostics.error(`cannot end job ${jid}: ${errorMessage(error)}`);
    return false;
  }
}

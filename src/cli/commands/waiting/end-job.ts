import { errorMessage, RqError } from '../../../job/errors.ts';
import type { Selection } from '../../../job/selection.ts';
import { deleteJobs } from '../../../queue/jobs/delete.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/**
 * Ends the job of `run` after a signal. Returns false if the job may run on. Opens the queue anew, because the job is being
 * followed at the same time.
 */
export async function endJob(call: CommandCall, jid: number): Promise<boolean> {
  const pending: Selection = {
    all: false,
    ranges: [{ first: jid, last: jid }],
    states: [],
    pairs: [{ field: 'state', value: 'pending' }],
  };
  try {
    const { deleted } = await useQueue(call, (queue) => deleteJobs(queue, pending));
    deleted.close();
    return deleted.count > 0;
  } catch (error) {
    if (!(error instanceof RqError)) throw error;
    call.diagnostics.error(`cannot end job ${jid}: ${errorMessage(error)}`);
    return false;
  }
}

import type { Selection } from '../../job/selection.ts';
import type { ChangeResult } from '../../queue/jobs/change-jobs.ts';
import { selectJobs } from '../../queue/jobs/select.ts';
import type { Queue } from '../../queue/open.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { noJob } from './no-job.ts';
import { printAfter, printJobs } from './print.ts';
import { refusedJobs } from './refused-jobs.ts';

/**
 * Prints the jobs that a command changed. Throws JOB_RUNNING if the states of some jobs prevented the change, NO_JOB if no
 * job was selected; `states` names the states that the command can change.
 */
export async function printChanged(
  call: CommandCall,
  queue: Queue,
  result: ChangeResult,
  states: string,
): Promise<void> {
  const { changed, count, refused } = result;
  if (refused.size > 0) throw refusedJobs(call, refused, 'nothing was changed; ');
  if (!call.options.flag('quiet')) {
    const selection: Selection = { all: false, ranges: changed, states: [], pairs: [] };
    const jobs = count === 0 ? [] : selectJobs(queue, selection);
    await printAfter(`changed ${count} jobs`, () => printJobs(call, jobs));
  }
  if (count === 0) throw noJob(call, queue.directory, states);
}

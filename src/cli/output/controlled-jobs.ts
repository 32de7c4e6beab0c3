import type { Selection } from '../../job/selection.ts';
import type { ControlResult } from '../../queue/control/control-jobs.ts';
import { selectJobs } from '../../queue/jobs/select.ts';
import type { Queue } from '../../queue/open.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { noJob } from './no-job.ts';
import { printAfter, printJobs } from './print.ts';
import { refusedJobs } from './refused-jobs.ts';

/**
 * Prints the jobs to which a command applied. Throws JOB_RUNNING if the states of some jobs prevented it, NO_JOB if no job
 * was selected; \`states\` names the states to which the command applies.
 */
export async function printControlled(
  call: CommandCall,
  queue: Queue,
  { changed, count, skipped, refused }: ControlResult,
  states: string,
): Promise<void> {
  if (refused.size > 0) throw refusedJobs(call, refused, 'nothing was changed; ');
  if (!call.options.flag('quiet')) {
    const selection: Selection = { all: false, ranges: changed, states: [], pairs: [] };
    const jobs = count === 0 ? [] : selectJobs(queue, selection);
    await printAfter(`changed ${count} jobs`, () => printJobs(call, jobs));
  }
  if (count > 0) return;
  if (skipped === 0) throw noJob(call, queue.directory, states);
  call.diagnostics.info(`${call.command}: all selected jobs have already ended`);
}

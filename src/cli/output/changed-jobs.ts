import { wakeFeeder } from '../../feeder/wake.ts';
import { RqError } from '../../job/errors.ts';
import type { Selection } from '../../job/selection.ts';
import type { Changed } from '../../queue/jobs/change-jobs.ts';
import { selectJobs } from '../../queue/jobs/select.ts';
import type { Queue } from '../../queue/open.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { printAfter, printJobs } from './print.ts';
import { refusal } from './refused-jobs.ts';

/** Prints the jobs that a command changed. Throws JOB_RUNNING if some may not be changed, NO_JOB if there were none to. */
export async function reportChanged(
  call: CommandCall,
  queue: Queue,
  { changed, count, refused }: Changed,
): Promise<void> {
  const selection: Selection = { all: false, ranges: changed, states: [], pairs: [] };
  if (refused.size > 0) throw refusal(call.command, refused, call.queue, 'nothing was changed; ');
  if (count > 0) wakeFeeder(queue.directory);
  if (!call.options.flag('quiet')) {
    const jobs = count === 0 ? [] : selectJobs(queue, selection);
    await printAfter(`did ${call.command} ${count} jobs`, () => printJobs(call, jobs));
  }
  if (count > 0) return;
  const words = call.positionals.join(' ') || 'stdin';
  throw new RqError('NO_JOB', `cannot ${call.command}: no job in ${queue.directory} that it is for matches ${words}`);
}

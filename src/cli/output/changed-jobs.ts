import { wakeFeeder } from '../../feeder/wake.ts';
import { RqError } from '../../job/errors.ts';
import type { Selection } from '../../job/selection.ts';
import type { Changed } from '../../queue/jobs/change-jobs.ts';
import { selectJobs } from '../../queue/jobs/select.ts';
import type { Queue } from '../../queue/open.ts';
import type { ModeCall } from '../parse/command-call.ts';
import { printAfter, printJobs } from './print.ts';
import { refusal } from './refused-jobs.ts';

/** Prints the jobs that a mode changed. Throws JOB_RUNNING if some may not be changed, NO_JOB if there were none to. */
export async function reportChanged(call: ModeCall, queue: Queue, { changed, count, refused }: Changed): Promise<void> {
  const selection: Selection = { all: false, ranges: changed, states: [], pairs: [] };
  if (refused.size > 0) throw refusal(call.mode, refused, call.queue, 'nothing was changed; ');
  if (count > 0) wakeFeeder(queue.directory);
  if (!call.options.flag('quiet')) {
    const jobs = count === 0 ? [] : selectJobs(queue, selection);
    await printAfter(`did ${call.mode} ${count} jobs`, () => printJobs(call, jobs));
  }
  if (count > 0) return;
  const words = call.words.join(' ') || 'stdin';
  throw new RqError('NO_JOB', `cannot ${call.mode}: no job in ${queue.directory} that it is for matches ${words}`);
}

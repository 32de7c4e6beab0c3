import type { JidRange } from '../../job/selection.ts';
import { selectJobs } from '../../queue/jobs/select.ts';
import type { Queue } from '../../queue/open.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { printAfter, printJobs } from './print.ts';

/** Prints the jobs that a command added to the queue, unless it is quiet. */
export async function printSubmitted(call: CommandCall, queue: Queue, ranges: readonly JidRange[]): Promise<void> {
  if (call.options.flag('quiet')) return;
  const jids = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
  const jobs = selectJobs(queue, { all: false, ranges, states: [], pairs: [] });
  await printAfter(`submitted ${jids}`, () => printJobs(call, jobs));
}

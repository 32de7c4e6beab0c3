import { selectJobs } from '../../../queue/jobs/select.ts';
import { isEmptySelection } from '../../input/selection.ts';
import { readSelection, selectorsOf } from '../../input/selection-input.ts';
import { noJob } from '../../output/no-job.ts';
import { jobFields, printJobs } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useReader } from '../../use-queue.ts';

/** Prints the selected jobs, or all. If none matches, prints an empty list and throws NO_JOB. */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  // Stdin is read only for "-": under cron or a service it can be a pipe that never ends.
  const given = await readSelection(call, selectorsOf(call));
  const selection = isEmptySelection(given) ? { ...given, all: true } : given;
  await useReader(call, async (queue) => {
    const count = await printJobs(call, selectJobs(queue, selection));
    if (count === 0 && call.positionals.length > 0) throw noJob(call, queue.directory);
  });
}

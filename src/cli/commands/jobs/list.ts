import { RqError } from '../../../job/errors.ts';
import { selectJobs } from '../../../queue/jobs/select.ts';
import { isEmptySelection } from '../../input/selection.ts';
import { readSelection } from '../../input/selection-input.ts';
import { jobFields, printJobs } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useReader } from '../../use-queue.ts';

/** Prints the selected jobs, or all. A selection that matches none is NO_JOB, after an empty list was printed. */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  // Stdin is read only when "-" asks for it: it may be a terminal's, a cron's or a service's that never ends.
  const given = await readSelection(call, false);
  const selection = isEmptySelection(given) ? { ...given, all: true } : given;
  await useReader(call, async (queue) => {
    const count = await printJobs(call, selectJobs(queue, selection));
    if (count > 0 || call.positionals.length === 0) return;
    throw new RqError('NO_JOB', `no job in ${queue.directory} matches ${call.positionals.join(' ')}`);
  });
}

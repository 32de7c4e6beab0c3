import { JOB_FIELDS } from '../../../job/job.ts';
import { selectJobs } from '../../../queue/jobs/select.ts';
import { WaitsFor } from '../../../queue/jobs/why/waits-for.ts';
import { isEmptySelection } from '../../input/selection.ts';
import { readSelection, selectorsOf } from '../../input/selection-input.ts';
import { noJob } from '../../output/no-job.ts';
import { printJobs, printsField } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { SNAPSHOT } from '../../parse/shared-options.ts';
import { useReader } from '../../use-queue.ts';
import { SELECTION, STDIN_JIDS } from './selection-help.ts';

export const spec: CommandSpec = {
  name: 'list',
  short: ['l', 'ls'],
  summary: 'print jobs',
  report: JOB_FIELDS,
  positionals: '[SELECTION…]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [SNAPSHOT],
  description: [
    'Prints the selected jobs, oldest first. Without a selection, "list" prints all jobs.',
    SELECTION,
    STDIN_JIDS,
  ],
  examples: [
    ['rq q list running pending --table', 'print a table of the running and pending jobs'],
    ['rq q list failed --plain', 'print the jids of the failed jobs, one per line'],
    ['rq q list finished exit_status=1 --fields jid,command', 'print two fields of the jobs with exit status 1'],
    ['rq q list 10-20 --json | jq .[].tag', 'print the tags of the jobs 10 to 20'],
  ],
};

/** Prints the selected jobs, or all. If none matches, prints an empty list and throws NO_JOB. */
export async function run(call: CommandCall): Promise<undefined> {
  // Stdin is read only for "-": under cron or a service it can be a pipe that never ends.
  const given = await readSelection(call, selectorsOf(call));
  const selection = isEmptySelection(given) ? { ...given, all: true } : given;
  await useReader(call, async (queue) => {
    const waits = printsField(call, 'waits_for') ? new WaitsFor(queue) : undefined;
    const count = await printJobs(call, selectJobs(queue, selection, waits));
    if (count === 0 && call.positionals.length > 0) throw noJob(call, queue.directory);
  });
}

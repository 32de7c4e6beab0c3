import { explainJobs } from '../../../queue/jobs/why/why.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { EXPLANATION_FIELDS, printExplanations } from '../../output/explanations.ts';
import { noJob } from '../../output/no-job.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec, OptionSpec } from '../../parse/command-spec.ts';
import { FORM_OPTIONS, SNAPSHOT } from '../../parse/shared-options.ts';
import { useReader } from '../../use-queue.ts';
import { SELECTION, STDIN_DEFAULT, STDIN_JIDS } from './selection-help.ts';

const PLAIN: OptionSpec = {
  name: 'plain',
  type: 'flag',
  help: 'Print one line for each job: the jid, a tab and the reasons, or the fields of --fields separated by tabs.',
};

export const spec: CommandSpec = {
  name: 'why',
  summary: 'explain why jobs are pending, or how they ended',
  report: EXPLANATION_FIELDS,
  positionals: 'SELECTION…',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [SNAPSHOT, PLAIN, ...FORM_OPTIONS.filter(({ name }) => name !== PLAIN.name)],
  description: [
    'Explains in words why each selected job is pending, where it runs, or how it ended. ' +
      'A job can have several reasons.',
    'For a pending job, "why" also prints a verdict for each host, and its cause. ' +
      '"now" means that the host claims the job at its next poll. ' +
      '"later" means that the host can run the job when the cause no longer applies. ' +
      '"never" means that the host cannot run the job unless someone changes the job, its array or the host.',
    'Times in the reasons are local times.',
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q why 42', 'explain why a job does not run'],
    ['rq q why pending --plain', 'print one line for each pending job'],
    ['rq q why failed --table', 'print a table of how the failed jobs ended'],
    ['rq q query tag=x | rq q why - --json', 'explain the jobs printed by another command, as JSON'],
  ],
};

/** Explains the selected jobs. Throws NO_JOB if a jid does not exist; if no job matches, after an empty list. */
export async function run(call: CommandCall): Promise<undefined> {
  const selection = await requireSelection(call);
  await useReader(call, async (queue) => {
    const count = await printExplanations(call, explainJobs(queue, selection));
    if (count === 0) throw noJob({ ...call, command: 'explain' }, queue.directory);
  });
}

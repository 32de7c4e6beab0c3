import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import { changeJobs } from '../../../queue/jobs/change-jobs.ts';
import type { JobChange } from '../../../queue/jobs/job-change.ts';
import type { JobEntry } from '../../../yaml/entry.ts';
import { withJobOptions } from '../../input/job-options.ts';
import { type JobScript, refuseSharedStdin, withScript } from '../../input/script/job-script.ts';
import { requireSelection, selectorsOf } from '../../input/selection-input.ts';
import { printChanged } from '../../output/changed-jobs.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';
import { SELECTION, STDIN_DEFAULT, STDIN_JIDS } from './selection-help.ts';
import { SUBMIT_OPTIONS } from './submit-options.ts';

export const spec: CommandSpec = {
  name: 'resubmit',
  short: ['r', 're'],
  summary: 'requeue finished or dead jobs',
  report: JOB_FIELDS,
  positionals: 'SELECTION…',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: SUBMIT_OPTIONS.filter(({ name }) => name !== 'infile'),
  description: [
    'Requeues the selected finished and dead jobs. ' +
      'Each job keeps its jid and all fields that no option changes. ' +
      'rq keeps the record of earlier attempts. ' +
      'If a job selected by jid is neither finished nor dead, rq changes nothing. ' +
      'An empty selection is an error and never means all jobs.',
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q resubmit 42', 'requeue one job'],
    ['rq q resubmit dead --priority 5', 'requeue all dead jobs, and set their priority to 5'],
    ['rq q resubmit failed', 'requeue all failed jobs'],
    ["rq q query 'exit_status = 3' | rq q resubmit -", 'requeue the jobs with exit status 3'],
  ],
};

/** Requeues the selected finished and dead jobs, changed by the options, and prints them. */
export async function run(call: CommandCall): Promise<undefined> {
  const { positionals, readsStdin } = selectorsOf(call);
  const path = call.options.text('script');
  const isStdinInUse = readsStdin || positionals.length === 0;
  refuseSharedStdin(call, isStdinInUse);
  await withScript(call, path, (scripted, script) =>
    withJobOptions(scripted, isStdinInUse || path === '-', (options) => resubmit(scripted, options, script)),
  );
}

async function resubmit(call: CommandCall, options: JobEntry, script: JobScript | undefined): Promise<void> {
  const change: JobChange = {
    ...options,
    ...(call.options.flag('stage') ? { state: 'holding' } : {}),
    ...(script === undefined ? {} : { script: script.path, editCommand: script.editCommand }),
  };
  const selection = await requireSelection(call);
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'resubmitted');
    const result = await progress.during(changeJobs(queue, selection, change, 'resubmit', progress.report));
    wakeFeeder(queue.directory);
    await printChanged(call, queue, result, 'finished or dead');
  });
}

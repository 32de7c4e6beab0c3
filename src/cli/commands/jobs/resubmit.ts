import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import { changeJobs } from '../../../queue/jobs/change-jobs.ts';
import { withDueTime } from '../../../queue/jobs/due-times.ts';
import type { JobChange } from '../../../queue/jobs/job-change.ts';
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
  options: [
    ...SUBMIT_OPTIONS.filter(({ name }) => name !== 'infile'),
    {
      name: 'dependents',
      type: 'flag',
      isOnLineOnly: true,
      help: 'Also requeue the jobs that died because a selected job failed, and those that died of these.',
    },
  ],
  description: [
    'Requeues the selected finished and dead jobs. ' +
      'Each job keeps its jid and all fields that no option changes. ' +
      'rq keeps the record of earlier attempts. ' +
      'If a job selected by jid is neither finished nor dead, rq changes nothing. ' +
      'An empty selection is an error and never means all jobs.',
    'A requeued job that died of a dependency waits for it again, unless it is met by now. ' +
      'If the dependency has still failed, the job dies again. "--after null" removes the dependencies. ' +
      'Jobs that died because a selected job failed stay dead without --dependents.',
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q resubmit 42 --dependents', 'requeue one job, and the jobs that died because it failed'],
    ['rq q resubmit dead --priority 5', 'requeue all dead jobs, and set their priority to 5'],
    ['rq q resubmit failed', 'requeue all failed jobs'],
    ["rq q query 'exit_status = 3' | rq q resubmit -", 'requeue the jobs with exit status 3'],
  ],
};

/** Requeues the selected finished and dead jobs, changed by the options, and prints them. */
export async function run(given: CommandCall): Promise<undefined> {
  const hasNoDependencies = given.options.list('after').join(',') === 'null';
  const call = hasNoDependencies ? withoutAfter(given) : given;
  const { positionals, readsStdin } = selectorsOf(call);
  const path = call.options.text('script');
  const isStdinInUse = readsStdin || positionals.length === 0;
  refuseSharedStdin(call, isStdinInUse);
  await withScript(call, path, (scripted, script) =>
    withJobOptions(scripted, isStdinInUse || path === '-', (options) =>
      resubmit(scripted, { ...options, ...(hasNoDependencies ? { after: null } : {}) }, script),
    ),
  );
}

/** The value null is no dependency. */
function withoutAfter(call: CommandCall): CommandCall {
  const { options } = call;
  return { ...call, options: { ...options, list: (name) => (name === 'after' ? [] : options.list(name)) } };
}

async function resubmit(call: CommandCall, fields: JobChange, script: JobScript | undefined): Promise<void> {
  const change: JobChange = {
    ...fields,
    ...(call.options.flag('stage') ? { state: 'holding' } : {}),
    withDependents: call.options.flag('dependents'),
    ...(script === undefined ? {} : { script: script.path, editCommand: script.editCommand }),
  };
  const selection = await requireSelection(call);
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'resubmitted');
    const result = await progress.during(
      changeJobs(queue, selection, withDueTime(queue, change), 'resubmit', progress.report),
    );
    wakeFeeder(queue.directory);
    await printChanged(call, queue, result, 'finished or dead');
  });
}

import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import { changeJobs } from '../../../queue/jobs/change-jobs.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { printChanged } from '../../output/changed-jobs.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { QUIET } from '../../parse/shared-options.ts';
import { useQueue } from '../../use-queue.ts';
import { SELECTION, STDIN_DEFAULT, STDIN_JIDS } from '../jobs/selection-help.ts';

const shared = {
  report: JOB_FIELDS,
  positionals: 'SELECTION…',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [QUIET],
} as const;

const hold: CommandSpec = {
  ...shared,
  name: 'hold',
  summary: 'keep pending jobs from starting',
  description: [
    'Holds the selected pending jobs, so that no host starts them, and prints the jobs. ' +
      '"release" makes them pending again. ' +
      'If a job selected by jid is neither pending nor holding, rq changes nothing; use "pause" for running jobs.',
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q hold 42', 'hold one job'],
    ['rq q hold pending tag=big', 'hold all pending jobs with a tag'],
  ],
};

const release: CommandSpec = {
  ...shared,
  name: 'release',
  summary: 'let holding jobs start',
  description: [
    'Makes the selected holding jobs pending, and prints the jobs. ' +
      'If a job selected by jid is neither pending nor holding, rq changes nothing.',
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q release 42', 'release one job'],
    ['rq q release holding', 'release all holding jobs'],
  ],
};

export const specs: readonly CommandSpec[] = [hold, release];

/** Holds or releases the selected waiting jobs, and prints them. */
export async function run(call: CommandCall): Promise<undefined> {
  const isHold = call.command === hold.name;
  const selection = await requireSelection(call);
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, isHold ? 'held' : 'released');
    const change = { state: isHold ? 'holding' : 'pending' } as const;
    const result = await progress.during(changeJobs(queue, selection, change, 'update', progress.report));
    if (!isHold) wakeFeeder(queue.directory);
    await printChanged(call, queue, result, 'pending or holding');
  });
}

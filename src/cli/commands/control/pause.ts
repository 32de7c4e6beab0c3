import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import { pauseJobs } from '../../../queue/control/control-jobs.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { printControlled } from '../../output/controlled-jobs.ts';
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

const pause: CommandSpec = {
  ...shared,
  name: 'pause',
  summary: 'stop running jobs without ending them',
  description: [
    'Stops all processes of the selected running jobs (SIGSTOP), on whatever hosts they run, and prints the jobs. ' +
      'A paused job keeps its slot and its memory, and its time limit does not advance. ' +
      '"resume" continues it, and "kill" ends it. ' +
      'If a job selected by jid is not running, rq pauses no job; use "hold" for pending jobs.',
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q pause 42', 'stop one job'],
    ['rq q pause running tag=big', 'stop all running jobs with a tag'],
  ],
};

const resume: CommandSpec = {
  ...shared,
  name: 'resume',
  summary: 'continue paused jobs',
  description: [
    'Continues all processes of the selected running jobs (SIGCONT), and prints the jobs. ' +
      'A job that was not paused does not change.',
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q resume 42', 'continue one job'],
    ['rq q resume running', 'continue all paused jobs'],
  ],
};

export const specs: readonly CommandSpec[] = [pause, resume];

/** Pauses or continues the selected running jobs, and prints them. */
export async function run(call: CommandCall): Promise<undefined> {
  const isPause = call.command === pause.name;
  const selection = await requireSelection(call);
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, isPause ? 'paused' : 'resumed');
    const result = await progress.during(pauseJobs(queue, selection, isPause, progress.report));
    wakeFeeder(queue.directory);
    await printControlled(call, queue, result, 'running');
  });
}

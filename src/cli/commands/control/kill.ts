import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import { MAX_GRACE_S } from '../../../job/limits.ts';
import { killJobs } from '../../../queue/control/control-jobs.ts';
import { JidSet } from '../../../queue/wait/jid-set.ts';
import { durationOption } from '../../input/duration-option.ts';
import { reasonOption } from '../../input/reason-option.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { printControlled, reportControlled } from '../../output/controlled-jobs.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { QUIET } from '../../parse/shared-options.ts';
import { useQueue } from '../../use-queue.ts';
import { SELECTION, STDIN_DEFAULT, STDIN_JIDS } from '../jobs/selection-help.ts';
import { awaitJobs } from '../waiting/await-jobs.ts';

export const spec: CommandSpec = {
  name: 'kill',
  short: ['cancel'],
  summary: 'end jobs on any host',
  report: JOB_FIELDS,
  positionals: 'SELECTION…',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [
    {
      name: 'grace',
      type: 'text',
      value: 'DURATION',
      help: 'Time between SIGTERM and SIGKILL, such as 10s or 5m (by default the setting kill_grace, which is 30 s unless you change it).',
    },
    { name: 'reason', type: 'text', value: 'TEXT', help: 'Why the jobs are ended. The field "reason" shows it.' },
    { name: 'no-wait', type: 'flag', help: 'Do not wait until the jobs have ended.' },
    QUIET,
  ],
  description: [
    'Ends the selected jobs, waits until they have ended, and prints them. ' +
      'rq sends SIGTERM to all processes of a running job, on whatever host it runs, and SIGKILL to those that are left after the grace period. ' +
      'The job becomes finished with its real end, and "reason" says who killed it. ' +
      'A pending or holding job becomes dead at once. ' +
      'rq never retries or restarts a killed job. ' +
      'Jobs that have already ended do not change. ' +
      'An empty selection is an error and never means all jobs.',
    'A feeder carries out a kill at its next poll, or as soon as its host can reach the queue again. ' +
      'Ctrl-C ends only the wait.',
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q kill 42', 'end one job'],
    ["rq q kill tag=night1 --reason 'wrong input'", 'end all jobs with a tag, and record why'],
    ['rq q kill running --grace 5m --no-wait', 'give all running jobs five minutes to save their state'],
  ],
};

/** Ends the selected jobs, and prints them when they have ended. */
export async function run(call: CommandCall): Promise<undefined> {
  const reason = reasonOption(call);
  const grace = durationOption(call, 'grace', { max: MAX_GRACE_S });
  const selection = await requireSelection(call);
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'ended');
    const result = await progress.during(killJobs(queue, selection, { reason, grace }, progress.report));
    wakeFeeder(queue.directory);
    const states = 'pending, holding or running';
    if (call.options.flag('no-wait')) return await printControlled(call, queue, result, states);
    reportControlled(call, queue, result, states);
    const print = !call.options.flag('quiet');
    await awaitJobs(call, queue, new JidSet(result.changed), { print, needsNoFeeder: true });
  });
}

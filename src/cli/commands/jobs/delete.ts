import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import type { Selection } from '../../../job/selection.ts';
import { killJobs } from '../../../queue/control/control-jobs.ts';
import { deleteJobs } from '../../../queue/jobs/delete.ts';
import { refuseNeeded } from '../../../queue/jobs/needed-jobs.ts';
import type { Queue } from '../../../queue/open.ts';
import { JidSet } from '../../../queue/wait/jid-set.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { reportControlled } from '../../output/controlled-jobs.ts';
import { noJob } from '../../output/no-job.ts';
import { printAfter, printJobs } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import { refusedJobs } from '../../output/refused-jobs.ts';
import { warnRemainingFiles } from '../../output/remaining-files.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { QUIET } from '../../parse/shared-options.ts';
import { useQueue } from '../../use-queue.ts';
import { awaitJobs } from '../waiting/await-jobs.ts';
import { SELECTION, STDIN_DEFAULT, STDIN_JIDS } from './selection-help.ts';

export const spec: CommandSpec = {
  name: 'delete',
  short: ['d', 'rm'],
  summary: 'delete jobs and their files',
  report: JOB_FIELDS,
  positionals: 'SELECTION…',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [
    { name: 'kill', type: 'flag', help: 'First end the selected jobs that are running.' },
    {
      name: 'force',
      type: 'flag',
      isOnLineOnly: true,
      help: 'Also delete jobs that pending or holding jobs need. For these, that counts as a failure.',
    },
    QUIET,
  ],
  description: [
    'Deletes the selected jobs with their stdin, stdout, stderr, data and scripts, and prints the deleted jobs. ' +
      '"delete" does not delete running jobs, unless --kill ends them first. ' +
      'If a running job is selected by jid, rq deletes the other selected jobs and reports an error. ' +
      'If a pending or holding job needs a selected job that has not ended, rq deletes nothing, unless you specify --force. ' +
      'An empty selection is an error and never means all jobs.',
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q delete 42', 'delete one job'],
    ['rq q delete finished exit_status=0', 'delete successful jobs'],
    ['rq q delete tag=old --kill', 'end the running jobs with a tag, and delete all jobs with it'],
    ['rq q list p tag=old --fields jid | rq q delete -', 'delete the jobs printed by another command'],
  ],
};

/**
 * Deletes the selected jobs and prints them. Throws JOB_NEEDED if others need them. Afterwards throws JOB_RUNNING if the jid of a running job was given, NO_JOB
 * if no job was deleted.
 */
export async function run(call: CommandCall): Promise<undefined> {
  const given = await requireSelection(call);
  await useQueue(call, async (queue) => {
    const kills = call.options.flag('kill');
    const force = call.options.flag('force');
    if (kills && !force) await refuseNeeded(queue, given);
    const selection = kills ? await killRunning(call, queue, given) : given;
    const progress = progressOf(call, 'deleted');
    const deletion = deleteJobs(queue, selection, { force }, progress.report);
    const { deleted, running, remaining } = await progress.during(deletion);
    wakeFeeder(queue.directory);
    const { count } = deleted;
    try {
      if (!call.options.flag('quiet')) {
        await printAfter(`deleted ${count} jobs`, () => printJobs(call, deleted.batches()));
      }
    } finally {
      deleted.close();
    }
    warnRemainingFiles(call, remaining);
    if (running.length > 0) throw refusedJobs(call, new Map([['running', running]]));
    if (count === 0) throw noJob(call, queue.directory, 'pending, holding or ended');
  });
}

/** Ends the selected jobs that have not ended, and waits for that. Returns a selection that also contains them afterwards. */
async function killRunning(call: CommandCall, queue: Queue, selection: Selection): Promise<Selection> {
  const result = await killJobs(queue, selection, { reason: 'rq delete', grace: undefined });
  wakeFeeder(queue.directory);
  if (result.count === 0) return selection;
  reportControlled(call, queue, result, 'running');
  await awaitJobs(call, queue, new JidSet(result.changed), { print: false, needsNoFeeder: true });
  const { all, ranges, states, failed = false, pairs } = selection;
  return {
    ...selection,
    // Pairs alone select from all jobs.
    all: all || (ranges.length === 0 && states.length === 0 && !failed),
    ranges: [...ranges, ...result.changed],
    pairs: pairs.filter(({ field }) => field !== 'state'),
  };
}

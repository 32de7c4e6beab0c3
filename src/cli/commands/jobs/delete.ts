import { JOB_FIELDS } from '../../../job/job.ts';
import { deleteJobs } from '../../../queue/jobs/delete.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { noJob } from '../../output/no-job.ts';
import { printAfter, printJobs } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import { refusedJobs } from '../../output/refused-jobs.ts';
import { warnRemainingFiles } from '../../output/remaining-files.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { QUIET } from '../../parse/shared-options.ts';
import { useQueue } from '../../use-queue.ts';
import { SELECTION, STDIN_DEFAULT, STDIN_JIDS } from './selection-help.ts';

export const spec: CommandSpec = {
  name: 'delete',
  short: ['d', 'rm'],
  summary: 'delete jobs and their files',
  report: JOB_FIELDS,
  positionals: 'SELECTION…',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [QUIET],
  description: [
    'Deletes the selected jobs with their stdin, stdout, stderr, data and scripts, and prints the deleted jobs. ' +
      '"delete" does not delete running jobs. ' +
      'If a running job is selected by jid, rq deletes the other jobs and reports an error. ' +
      'An empty selection is an error and never means all jobs.',
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q delete 42', 'delete one job'],
    ['rq q delete finished exit_status=0', 'delete successful jobs'],
    ['rq q list p tag=old --fields jid | rq q delete -', 'delete the jobs printed by another command'],
  ],
};

/**
 * Deletes the selected jobs and prints them. Afterwards throws JOB_RUNNING if the jid of a running job was given, NO_JOB
 * if no job was deleted.
 */
export async function run(call: CommandCall): Promise<undefined> {
  const selection = await requireSelection(call);
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'deleted');
    const { deleted, running, remaining } = await progress.during(deleteJobs(queue, selection, progress.report));
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

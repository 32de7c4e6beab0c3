import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { SUBMITTER_FIELDS } from '../../../job/columns.ts';
import { RqError } from '../../../job/errors.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import { changeJobs } from '../../../queue/jobs/change-jobs.ts';
import { NULLABLE, readAssignments, splitAssignments } from '../../input/assignments.ts';
import { requireSelection, selectorsOf } from '../../input/selection-input.ts';
import { printChanged } from '../../output/changed-jobs.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { QUIET } from '../../parse/shared-options.ts';
import { useQueue } from '../../use-queue.ts';
import { STDIN_DEFAULT, STDIN_JIDS } from './selection-help.ts';

export const spec: CommandSpec = {
  name: 'update',
  short: ['u'],
  summary: 'change pending and holding jobs',
  report: JOB_FIELDS,
  positionals: 'SELECTION KEY=VALUE…',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [QUIET],
  description: [
    'Changes fields of the selected pending and holding jobs. ' +
      `You can change ${SUBMITTER_FIELDS.join(', ')}, and state (to pending or holding). ` +
      `The value "null" clears ${NULLABLE.slice(0, -1).join(', ')} or ${NULLABLE.at(-1)}. ` +
      'If a job selected by jid is neither pending nor holding, rq changes nothing. ' +
      'An empty selection is an error and never means all jobs.',
    'A selection consists of jids (42), ranges (10-20), lists (1,3,7-9), states (pending, holding), or "all". ' +
      'An argument that contains "=" is a change. ' +
      'To select jobs by a field, pipe the output of "query" or "list" to "update".',
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q update 42 priority=9', 'run a job before jobs with a lower priority'],
    ['rq q update holding state=pending', 'release all holding jobs'],
    ['rq q query tag=x | rq q update priority=9 tag=null -', 'change the jobs printed by another command'],
  ],
};

/** Changes fields of the selected pending and holding jobs, and prints them. */
export async function run(call: CommandCall): Promise<undefined> {
  const { positionals, readsStdin } = selectorsOf(call);
  const { assignments, others } = splitAssignments(positionals);
  if (assignments.length === 0) {
    throw new RqError(
      'USAGE',
      'cannot update: no change specified; give KEY=VALUE, such as priority=9 or tag=null; see rq help update',
    );
  }
  const change = readAssignments(assignments, call.environment);
  const selection = await requireSelection(call, { positionals: others, readsStdin });
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'updated');
    const result = await progress.during(changeJobs(queue, selection, change, 'update', progress.report));
    wakeFeeder(queue.directory);
    await printChanged(call, queue, result, 'pending or holding');
  });
}

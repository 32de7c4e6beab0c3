import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { SUBMITTER_FIELDS } from '../../../job/columns.ts';
import { RqError } from '../../../job/errors.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import type { Selection } from '../../../job/selection.ts';
import { changeJobs } from '../../../queue/jobs/change-jobs.ts';
import { withDueTime } from '../../../queue/jobs/due-times.ts';
import type { JobChange } from '../../../queue/jobs/job-change.ts';
import { checkEntry } from '../../../yaml/entry.ts';
import { NULLABLE, readAssignments, splitAssignments } from '../../input/assignments.ts';
import { readVariables } from '../../input/job-variables.ts';
import { readReplacements } from '../../input/replacements.ts';
import { type JobScript, withScript } from '../../input/script/job-script.ts';
import { requireSelection, selectorsOf } from '../../input/selection-input.ts';
import { printChanged } from '../../output/changed-jobs.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { QUIET } from '../../parse/shared-options.ts';
import { useQueue } from '../../use-queue.ts';
import { STDIN_DEFAULT, STDIN_JIDS } from './selection-help.ts';
import { ENV } from './submit-options.ts';

export const spec: CommandSpec = {
  name: 'update',
  short: ['u'],
  summary: 'change pending and holding jobs',
  report: JOB_FIELDS,
  positionals: 'SELECTION [set] [KEY=VALUE…]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [
    { ...ENV, isOnLineOnly: true },
    {
      name: 'replace',
      type: 'pair',
      value: 'OLD NEW',
      isOnLineOnly: true,
      help:
        'Replace all occurrences of the text OLD by NEW in the command lines of the selected jobs. ' +
        'A job whose command line does not contain OLD is not changed. This option can be repeated.',
    },
    QUIET,
  ],
  description: [
    'Changes fields of the selected pending and holding jobs. ' +
      `You can change ${SUBMITTER_FIELDS.join(', ')}, and state (to pending or holding). ` +
      `The value "null" clears ${NULLABLE.slice(0, -1).join(', ')} or ${NULLABLE.at(-1)}. ` +
      'If a job selected by jid is neither pending nor holding, rq changes nothing. ' +
      'An empty selection is an error and never means all jobs.',
    'A selection consists of jids (42), ranges (10-20), lists (1,3,7-9), states (pending, holding), or "all". ' +
      'An argument that contains "=" is a change. ' +
      'To select jobs by fields, put the word "set" between the selection and the changes.',
    'The option --env replaces all environment variables that --env set before, and "env=null" removes them.',
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q update 42 priority=9', 'run a job before jobs with a lower priority'],
    ["rq q update tag=x set command='echo done'", 'change the command line of the jobs with a tag'],
    ['rq q update pending --replace --lr=0.1 --lr=0.2', 'change an option in the command lines of all pending jobs'],
    ['rq q query tag=x | rq q update priority=9 tag=null -', 'change the jobs printed by another command'],
  ],
};

/** Changes fields of the selected pending and holding jobs, and prints them. */
export async function run(call: CommandCall): Promise<undefined> {
  const { positionals, readsStdin } = selectorsOf(call);
  const { assignments, selectors } = splitAssignments(positionals);
  const change = readChange(call, assignments);
  refuseOnlyAssignments(call, positionals, readsStdin);
  const selection = await requireSelection(call, { positionals: selectors, readsStdin });
  await withScript(call, change.script ?? undefined, (_, script) => update(call, selection, withCopy(change, script)));
}

async function update(call: CommandCall, selection: Selection, change: JobChange): Promise<void> {
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'updated');
    const result = await progress.during(
      changeJobs(queue, selection, withDueTime(queue, change), 'update', progress.report),
    );
    if (result.count === 0 && result.unaffected > 0) {
      call.diagnostics.warn('no command of the selected jobs contains the text to replace; nothing was changed');
      return;
    }
    wakeFeeder(queue.directory);
    await printChanged(call, queue, result, 'pending or holding');
  });
}

/** A new script runs with the arguments of the earlier one, unless the change sets the command. */
function withCopy(change: JobChange, script: JobScript | undefined): JobChange {
  if (script === undefined) return change;
  const { path, editCommand } = script;
  return { ...change, script: path, ...(change.command === undefined ? { editCommand } : {}) };
}

/** Throws USAGE if there is no change, or if two of the changes concern the same field. */
function readChange({ options, environment }: CommandCall, assignments: readonly string[]): JobChange {
  const env = readVariables(options.list('env'), environment, 'cannot update');
  const editCommand = readReplacements(options.list('replace'));
  const change = readAssignments(assignments, environment);
  if (assignments.length === 0 && env === undefined && editCommand === undefined) {
    throw new RqError(
      'USAGE',
      'cannot update: no change specified; give KEY=VALUE, such as priority=9 or tag=null; see rq help update',
    );
  }
  if (change.env !== undefined && env !== undefined)
    throw new RqError('USAGE', 'cannot update: env is specified twice');
  if (editCommand !== undefined && (change.command !== undefined || change.script !== undefined)) {
    throw new RqError('USAGE', 'cannot update: --replace cannot be combined with a new command or script');
  }
  if (change.script === null && change.command === undefined) {
    throw new RqError('USAGE', 'cannot update: without the script, a job needs another command; add command=TEXT');
  }
  return {
    ...change,
    ...checkEntry([['env', env]], () => 'cannot update'),
    ...(editCommand === undefined ? {} : { editCommand }),
  };
}

/** Without the word "set", every `key=value` is a change. */
function refuseOnlyAssignments({ input }: CommandCall, positionals: readonly string[], readsStdin: boolean): void {
  const isPiped = readsStdin || input.kind === 'pipe' || input.kind === 'file';
  if (isPiped || positionals.length === 0 || !positionals.every((word) => word.includes('='))) return;
  throw new RqError(
    'USAGE',
    'cannot update: no jobs are selected; give jids (42, 10-20), a state or all, ' +
      'or select by fields before the word "set": update tag=x set priority=9',
  );
}

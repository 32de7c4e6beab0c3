import type { CommandSpec } from '../parse/command-spec.ts';
import { QUIET, SELECTION, SELECTION_INPUT, SUBMIT_OPTIONS } from './job-words.ts';

const SELECTED_BY = [
  SELECTION,
  `${SELECTION_INPUT} So does a pipe or file on stdin when nothing is selected by words.`,
];

/** Commands that change jobs that are in the queue. */
export const CHANGE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'resubmit',
    short: ['r', 're'],
    summary: 'let finished or dead jobs wait again',
    positionals: 'SELECTION…',
    maxPositionals: Number.POSITIVE_INFINITY,
    queue: 'named',
    options: SUBMIT_OPTIONS.filter(({ name }) => name !== 'infile'),
    description: [
      'Puts the selected finished and dead jobs back to pending under the same jid, with their stdin and all else, ' +
        'changed as the options say. What they came to before stays on record. If a jid is named that ' +
        'is in another state, nothing is changed. Nothing selected is an error, never "all".',
      ...SELECTED_BY,
    ],
    examples: [
      { type: 'rq q resubmit 42', does: 'once more' },
      { type: 'rq q resubmit dead --priority 5', does: 'all dead jobs, before others' },
      { type: 'rq q resubmit failed', does: 'all that failed' },
      { type: "rq q query 'exit_status = 3' | rq q resubmit -", does: 'those that ended with 3' },
    ],
    load: () => import('../commands/jobs/resubmit.ts'),
  },
  {
    name: 'update',
    short: ['u'],
    summary: 'change jobs that wait',
    positionals: 'SELECTION KEY=VALUE…',
    maxPositionals: Number.POSITIVE_INFINITY,
    queue: 'named',
    options: [QUIET],
    description: [
      'Changes fields of the selected pending and holding jobs: command, priority, tag, runners, restartable, stdin, ' +
        'data, cwd, and state between pending and holding. null clears tag, runners, stdin and data. If a jid is ' +
        'named that is in another state, nothing is changed. Nothing selected is an error, never "all".',
      'Jobs are selected by jid (42), range (10-20) or list of them (1,3,7-9), by state (pending, holding), or by all; ' +
        'words with = are what to set. To select by a field, pipe from query or list.',
      `${SELECTION_INPUT} So does a pipe or file on stdin when nothing is selected by words.`,
    ],
    examples: [
      { type: 'rq q update 42 priority=9', does: 'let it go first' },
      { type: 'rq q update holding state=pending', does: 'let go all that were staged' },
      { type: 'rq q query tag=x | rq q update priority=9 tag=null -', does: 'what a pipe selects' },
    ],
    load: () => import('../commands/jobs/update.ts'),
  },
  {
    name: 'touch',
    short: ['to'],
    summary: 'submit jobs that are not pending already',
    positionals: '[COMMAND…]',
    maxPositionals: Number.POSITIVE_INFINITY,
    queue: 'named',
    options: SUBMIT_OPTIONS,
    description: [
      'The same as submit; but where a job with the same command and tag is pending already, that one becomes what is ' +
        'submitted, and keeps its jid and place. For cron jobs that submit what may not have been done since last time.',
    ],
    examples: [
      { type: "rq q touch --tag nightly './sync.sh'", does: 'one of it, however often this is called' },
      { type: 'rq q touch --priority 5 < commands.txt', does: 'one a line' },
    ],
    load: () => import('../commands/jobs/touch.ts'),
  },
];

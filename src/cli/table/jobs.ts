import type { CommandSpec } from '../parse/command-spec.ts';
import { QUIET, SELECTION, SELECTION_INPUT, SNAPSHOT, SUBMIT_OPTIONS } from './job-words.ts';

export const JOB_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'submit',
    short: ['s'],
    summary: 'put jobs into the queue',
    positionals: '[COMMAND…]',
    maxPositionals: Number.POSITIVE_INFINITY,
    queue: 'named',
    options: SUBMIT_OPTIONS,
    description: [
      'One word is a shell command line. Several words are a program and its arguments, each quoted so that the job ' +
        'gets exactly those. Put -- before a command that has options of its own: words after it are never options of rq.',
      'Without a command, or with -, or with --infile, jobs are read as a list: one command a line, where blank lines ' +
        'and lines that begin with # are skipped and nothing within a line is stripped; or YAML or JSON as rq prints ' +
        'it (recognised by its first line: ---, "- …", or a JSON list or map), of which command, priority, tag, ' +
        'runners, restartable, stdin, data and cwd are taken. A list of commands with a line "command: …" or "jid: 42" ' +
        'of such YAML is refused: put --- before it. Options given here win over the values in a list.',
      'All jobs of one call enter the queue, or none. They are printed as they were submitted, unless --quiet is given.',
    ],
    examples: [
      { type: "rq q submit 'sort big.txt > sorted.txt'", does: 'a shell command line' },
      { type: 'rq q submit -- python train.py --epochs 10', does: 'a program with options of its own' },
      { type: 'rq q submit --priority 5 --tag night < commands.txt', does: 'one job a line' },
      { type: 'rq q list dead | rq q submit -', does: 'submit dead jobs anew, as new jobs' },
    ],
    load: () => import('../commands/jobs/submit.ts'),
  },
  {
    name: 'list',
    short: ['l', 'ls'],
    summary: 'print jobs',
    positionals: '[SELECTION…]',
    maxPositionals: Number.POSITIVE_INFINITY,
    queue: 'named',
    options: [SNAPSHOT],
    description: ['Prints the selected jobs, oldest first; without a selection, all jobs.', SELECTION, SELECTION_INPUT],
    examples: [
      { type: 'rq q list', does: 'every job of every state' },
      { type: 'rq q list running pending', does: 'jobs in either state' },
      { type: 'rq q list finished exit_status=1 --fields jid,command', does: 'what failed' },
      { type: 'rq q list 10-20 --json | jq .[].tag', does: 'the tags of ten jobs' },
    ],
    load: () => import('../commands/jobs/list.ts'),
  },
  {
    name: 'status',
    short: ['t'],
    summary: "print how the queue's jobs and nodes do",
    positionals: '',
    maxPositionals: 0,
    queue: 'named',
    options: [
      {
        name: 'exit',
        type: 'text',
        value: 'NAME=N,…',
        help: "Count these exit statuses too, by names of your own: 'ok=42,43 command_not_found=127'.",
      },
      SNAPSHOT,
    ],
    report: ['jobs', 'temporal', 'performance', 'exit_status', 'nodes', 'lease'],
    description: [
      'Counts the jobs of each state, the oldest and newest of each, how long jobs take, how they ended, which nodes ' +
        'feed, and whether anybody has the lease at the moment: since when, how long that is ago by the clock of this ' +
        'host, and its process if it is one of this host. With --fields, only these parts.',
    ],
    examples: [
      { type: 'rq q status', does: 'everything' },
      { type: 'rq q status --fields jobs --json', does: 'the counts, for a program' },
      { type: "rq q status --exit 'ok=0,3 not_found=127'", does: 'count some exit statuses' },
    ],
    load: () => import('../commands/jobs/status.ts'),
  },
  {
    name: 'delete',
    short: ['d', 'rm'],
    summary: 'remove jobs and their files',
    positionals: 'SELECTION…',
    maxPositionals: Number.POSITIVE_INFINITY,
    queue: 'named',
    options: [QUIET],
    description: [
      'Removes the selected jobs with their stdin, stdout, stderr and data, and prints them. Jobs that run stay: ' +
        'one named by its jid is an error, and the others are removed; a state, key=value or all do not mean it. Nothing ' +
        'selected is an error, never "all".',
      SELECTION,
      `${SELECTION_INPUT} So does a pipe or file on stdin when nothing is selected by words.`,
    ],
    examples: [
      { type: 'rq q delete 42', does: 'one job' },
      { type: 'rq q delete finished exit_status=0', does: 'what went well' },
      { type: 'rq q list p tag=old --fields jid | rq q delete -', does: 'what a pipe selects' },
    ],
    load: () => import('../commands/jobs/delete.ts'),
  },
];

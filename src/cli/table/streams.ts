import type { CommandSpec } from '../parse/command-spec.ts';
import { SNAPSHOT } from './job-words.ts';

const STREAMS = [
  { stream: 'stdin', short: '0', what: 'what the job reads' },
  { stream: 'stdout', short: '1', what: 'what the job wrote to stdout' },
  { stream: 'stderr', short: '2', what: 'what the job wrote to stderr' },
] as const;

/** The streams of a job and, with a 4 ("for") behind the name, their paths. */
export const STREAM_COMMANDS: readonly CommandSpec[] = [
  ...STREAMS.map(
    ({ stream, short, what }): CommandSpec => ({
      name: stream,
      short: [short],
      summary: `print ${what}`,
      positionals: 'JID',
      minPositionals: 1,
      maxPositionals: 1,
      queue: 'named',
      options: [SNAPSHOT],
      description: [`Prints ${what}, byte for byte.`],
      examples: [
        { type: `rq q ${stream} 42`, does: `${what}` },
        { type: `rq q ${stream} 42 | less`, does: 'page through it' },
      ],
      load: () => import('../commands/streams/stream.ts'),
    }),
  ),
  ...STREAMS.map(
    ({ stream, what }): CommandSpec => ({
      name: `${stream}4`,
      short: [],
      summary: `print the path of ${what}`,
      positionals: 'JID',
      minPositionals: 1,
      maxPositionals: 1,
      queue: 'named',
      options: [SNAPSHOT],
      description: [`Prints the absolute path of the file with ${what}. The file may not exist yet.`],
      examples: [
        { type: `rq q ${stream}4 42`, does: 'the path' },
        { type: `wc -l "$(rq q ${stream}4 42)"`, does: 'hand it to a program' },
      ],
      load: () => import('../commands/streams/stream-path.ts'),
    }),
  ),
  {
    name: 'tail',
    short: ['ta'],
    summary: 'follow what jobs write, as they run',
    positionals: 'SELECTION…',
    maxPositionals: Number.POSITIVE_INFINITY,
    queue: 'named',
    options: [
      { name: 'stderr', type: 'flag', help: 'Follow stderr in place of stdout.' },
      {
        name: 'lines',
        short: 'n',
        type: 'integer',
        value: 'N',
        min: 0,
        max: 1e9,
        help: 'Begin with the last N lines of what a job wrote already (default 10; 0: only what comes).',
      },
      { name: 'from-start', type: 'flag', help: 'Begin with the first byte that a job wrote, whatever --lines says.' },
    ],
    description: [
      'Prints what the selected jobs write to stdout, byte for byte, as they write it, and ends when all of them have ' +
        'ended and all that they wrote is printed. A job that has not started is waited for; one that has ended is ' +
        'printed. A job that is started anew is followed from its new beginning. Which jobs are followed is settled at ' +
        'the start.',
      'Where several jobs are followed, a line such as "==> job 42 stdout <==" says whose output comes next. What ' +
        'becomes of the jobs is said on stderr: that one waits, failed, is dead, or was deleted. That a job failed ' +
        'does not change the exit status of rq.',
      'Jobs are selected as for list. The word - reads jids from stdin; so does a pipe or file on stdin when nothing is ' +
        'selected by words.',
    ],
    examples: [
      { type: 'rq q tail 42', does: 'the last ten lines of a job, and what follows' },
      { type: 'rq q tail running --stderr --lines 0', does: 'what the running jobs complain about from now on' },
      { type: 'rq q tail 42 --from-start > log', does: 'all that it writes, until it ends' },
    ],
    load: () => import('../commands/streams/tail.ts'),
  },
  {
    name: 'ioview',
    short: ['io'],
    summary: "open a job's stdin, stdout and stderr in an editor or pager",
    positionals: 'JID',
    minPositionals: 1,
    maxPositionals: 1,
    queue: 'named',
    options: [
      {
        name: 'editor',
        short: 'e',
        type: 'text',
        value: 'COMMAND',
        help: 'The program, with its arguments, that is given the files (default RQ_EDITOR, or vim -R -o).',
      },
    ],
    description: [
      'Runs an editor with those of the files stdin, stdout and stderr of the job that there are, and ends with its ' +
        'exit status. Without --editor and RQ_EDITOR it is vim -R -o, which reads only and shows a window a file; where ' +
        'there is no vim, the pager: PAGER, less or more.',
      'An editor that was named is also run where stdout is no terminal.',
    ],
    examples: [
      { type: 'rq q ioview 42', does: 'look at a job in vim' },
      { type: "rq q ioview 42 --editor 'less -R'", does: 'page through the files' },
      { type: "rq q ioview 42 -e 'wc -l'", does: 'hand them to any program' },
    ],
    load: () => import('../commands/streams/ioview.ts'),
  },
];

import type { ModeSpec } from '../mode-spec.ts';

const STREAMS = [
  { stream: 'stdin', short: '0', what: 'what the job reads' },
  { stream: 'stdout', short: '1', what: 'what the job wrote to stdout' },
  { stream: 'stderr', short: '2', what: 'what the job wrote to stderr' },
] as const;

/** The streams of a job and, with a 4 ("for") behind the name, their paths. */
export const STREAM_MODES: readonly ModeSpec[] = [
  ...STREAMS.map(
    ({ stream, short, what }): ModeSpec => ({
      name: stream,
      short: [short],
      summary: `print ${what}`,
      words: 'JID',
      minWords: 1,
      maxWords: 1,
      queue: 'named',
      options: [],
      description: [`Prints ${what}, byte for byte.`],
      examples: [
        { type: `rq q ${stream} 42`, does: `${what}` },
        { type: `rq q ${stream} 42 | less`, does: 'page through it' },
      ],
      load: () => import('../modes/stream.ts'),
    }),
  ),
  ...STREAMS.map(
    ({ stream, what }): ModeSpec => ({
      name: `${stream}4`,
      short: [],
      summary: `print the path of ${what}`,
      words: 'JID',
      minWords: 1,
      maxWords: 1,
      queue: 'named',
      options: [],
      description: [`Prints the absolute path of the file with ${what}. The file may not exist yet.`],
      examples: [
        { type: `rq q ${stream}4 42`, does: 'the path' },
        { type: `wc -l "$(rq q ${stream}4 42)"`, does: 'hand it to a program' },
      ],
      load: () => import('../modes/stream-path.ts'),
    }),
  ),
];

import type { ModeSpec } from '../mode-spec.ts';

/** Modes about a whole queue, and about rq itself. */
export const QUEUE_MODES: readonly ModeSpec[] = [
  {
    name: 'create',
    short: ['c'],
    summary: 'make a queue',
    words: '',
    maxWords: 0,
    queue: 'named',
    options: [
      {
        name: 'mode',
        type: 'text',
        value: 'MODE',
        choices: ['private', 'group'],
        help: 'Who may use it: you alone (default), or the members of its group. They can run commands as you.',
      },
      {
        name: 'locking',
        type: 'text',
        value: 'KIND',
        choices: ['posix', 'lease'],
        help: 'posix (default) needs a mount with POSIX locks; lease does without, more slowly.',
      },
    ],
    description: [
      'Makes the directory and an empty database in it. Refuses a path that exists and is not empty, and a mount ' +
        'without the locks that are needed. Prints the path, the database, the locking and the type of the mount.',
    ],
    examples: [
      { type: 'rq ~/q create', does: 'a queue of your own in an NFS home directory' },
      { type: 'rq /lab/q create --mode group', does: 'a queue for a lab' },
    ],
    load: () => import('../modes/create.ts'),
  },
];

export const OWN_MODES: readonly ModeSpec[] = [
  {
    name: 'help',
    short: ['h'],
    summary: 'explain rq or one of its modes',
    words: '[MODE]',
    maxWords: 1,
    queue: 'none',
    options: [],
    description: ['Without a mode, lists all modes. The same as --help after a mode.'],
    examples: [
      { type: 'rq help', does: 'all modes' },
      { type: 'rq help submit', does: 'one mode' },
    ],
    load: () => import('../modes/help.ts'),
  },
  {
    name: 'version',
    short: [],
    summary: 'print the version',
    words: '',
    maxWords: 0,
    queue: 'none',
    options: [],
    description: ['Prints the version of rq.'],
    examples: [
      { type: 'rq version', does: 'the version' },
      { type: 'rq --version', does: 'the same' },
    ],
    load: () => import('../modes/version.ts'),
  },
  {
    name: 'completion',
    short: [],
    summary: 'print what makes a shell complete words of rq',
    words: 'bash|zsh|fish',
    maxWords: Number.POSITIVE_INFINITY,
    queue: 'none',
    options: [
      {
        name: 'complete',
        type: 'flag',
        help: 'Print what could be the last of the words behind --; used by the scripts.',
      },
    ],
    description: [
      'Prints a script for the shell, which completes modes, options, states, and the tags and jids of the queue that ' +
        'the line names.',
    ],
    examples: [
      { type: 'source <(rq completion bash)', does: 'in ~/.bashrc' },
      { type: 'rq completion zsh > _rq', does: 'into a directory of fpath' },
      { type: 'rq completion fish', does: 'for ~/.config/fish/completions/rq.fish' },
    ],
    load: () => import('../modes/completion.ts'),
  },
];

import type { CommandSpec } from '../parse/command-spec.ts';

/** Commands about a whole queue, and about rq itself. */
export const QUEUE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'create',
    short: ['c'],
    summary: 'make a queue',
    positionals: '',
    maxPositionals: 0,
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
    report: ['path', 'database', 'locking', 'mount'],
    description: [
      'Makes the directory and an empty database in it. Refuses a path that exists and is not empty, and a mount ' +
        'without the locks that are needed. Prints the path, the database, the locking and the type of the mount.',
    ],
    examples: [
      { type: 'rq ~/q create', does: 'a queue of your own in an NFS home directory' },
      { type: 'rq /lab/q create --mode group', does: 'a queue for a lab' },
    ],
    load: () => import('../commands/queue/create.ts'),
  },
];

export const OWN_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'help',
    short: ['h'],
    summary: 'explain rq or one of its commands',
    positionals: '[COMMAND]',
    maxPositionals: 1,
    queue: 'none',
    options: [],
    description: ['Without a command, lists all commands. The same as --help after a command.'],
    examples: [
      { type: 'rq help', does: 'all commands' },
      { type: 'rq help submit', does: 'one command' },
    ],
    load: () => import('../commands/about/help.ts'),
  },
  {
    name: 'version',
    short: [],
    summary: 'print the version',
    positionals: '',
    maxPositionals: 0,
    queue: 'none',
    options: [],
    description: ['Prints the version of rq.'],
    examples: [
      { type: 'rq version', does: 'the version' },
      { type: 'rq --version', does: 'the same' },
    ],
    load: () => import('../commands/about/version.ts'),
  },
  {
    name: 'completion',
    short: [],
    summary: 'print a script that completes the words of rq in a shell',
    positionals: 'bash|zsh|fish',
    minPositionals: 1,
    maxPositionals: 3,
    queue: 'none',
    options: [
      {
        name: 'complete',
        type: 'flag',
        help: 'For the scripts: print what may come next on the command line that follows --.',
      },
    ],
    description: [
      'Prints a script for bash, zsh or fish. Where the shell has read it, the tab key completes commands, options and ' +
        'their values, states, and the tags and jids of the queue on the line.',
      'bash reads it at its start from ~/.bashrc, by the line: source <(rq completion bash); or, where there is ' +
        'bash-completion, from a file in ~/.local/share/bash-completion/completions. zsh reads it from ~/.zshrc, after ' +
        'compinit: source <(rq completion zsh); or from a file _rq in a directory of its fpath. fish reads it from a file ' +
        'in ~/.config/fish/completions.',
    ],
    examples: [
      { type: 'source <(rq completion bash)', does: 'in this bash, or from ~/.bashrc in each; zsh the same' },
      {
        type: 'rq completion bash > ~/.local/share/bash-completion/completions/rq',
        does: 'in each bash from now on, where there is bash-completion',
      },
      { type: 'rq completion zsh > ~/.zfunc/_rq', does: 'in each zsh from now on, where ~/.zfunc is in its fpath' },
      { type: 'rq completion fish > ~/.config/fish/completions/rq.fish', does: 'in each fish from now on' },
    ],
    load: () => import('../commands/about/completion.ts'),
  },
];

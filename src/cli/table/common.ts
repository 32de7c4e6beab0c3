import type { OptionSpec } from '../parse/command-spec.ts';

/** Options that every command has. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'json', type: 'flag', help: 'Print JSON in place of YAML.' },
  {
    name: 'fields',
    short: 'f',
    type: 'text',
    value: 'NAME,…',
    help: 'Print only these fields, in this order, even if null. A name may be a unique prefix or a regular expression.',
  },
  {
    name: 'verbosity',
    short: 'v',
    type: 'integer',
    value: 'N',
    min: 0,
    max: 4,
    help: 'How much to say on stderr: 0 fatal, 1 error, 2 warn, 3 info (default), 4 debug, with stack traces.',
  },
  { name: 'log', short: 'l', type: 'text', value: 'PATH', help: 'Write what is said to this file too.' },
  {
    name: 'log_age',
    type: 'text',
    value: 'AGE',
    choices: ['daily', 'weekly', 'monthly'],
    help: "Begin a new log so often (a feeder's log, of which ten are kept).",
  },
  {
    name: 'log_size',
    type: 'bytes',
    value: 'BYTES',
    min: 1024,
    max: 2 ** 40,
    help: "Begin a new log at this size, such as 1000000 or 10M, as it is without --log_age too (a feeder's log).",
  },
  {
    name: 'dot_rq_dir',
    type: 'text',
    value: 'DIR',
    help: 'The directory for logs by host and queue (default ~/.rq).',
  },
  {
    name: 'lock-timeout',
    type: 'number',
    value: 'SECONDS',
    min: 0,
    max: 86_400,
    help: 'How long to wait for the lease, for locks, and for a server that does not answer (default 60, feeders 600); then rq ends with status 75.',
  },
  { name: 'help', short: 'h', type: 'flag', help: 'Explain the command.' },
  { name: 'version', type: 'flag', help: 'Print the version.' },
];

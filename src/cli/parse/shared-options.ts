import type { OptionSpec } from './command-spec.ts';

/** An option of commands that only read. */
export const SNAPSHOT: OptionSpec = {
  name: 'snapshot',
  short: 's',
  type: 'flag',
  help: 'Read from a private copy of the database.',
};

export const QUIET: OptionSpec = { name: 'quiet', short: 'q', type: 'flag', help: 'Print nothing on stdout.' };

/** The options of commands that print jobs or nodes. */
export const FORM_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'plain',
    type: 'flag',
    help:
      'Print one line for each job, node or lane, with the fields of --fields separated by tabs. ' +
      'The default is only the jid, the host or the name.',
  },
  { name: 'table', type: 'flag', help: 'Print a table that fits the terminal.' },
  { name: 'full', type: 'flag', help: 'Also print fields without a value.' },
];

/** The options of every command. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'json', type: 'flag', help: 'Print JSON instead of YAML.' },
  {
    name: 'fields',
    short: 'f',
    type: 'text',
    value: 'NAME,…',
    help:
      'Print only these fields, in this order, including null values. ' +
      'Each name can be a field, a prefix of several fields, or a regular expression.',
  },
  {
    name: 'verbosity',
    short: 'v',
    type: 'integer',
    value: 'N',
    min: 0,
    max: 4,
    help: 'Level of messages on stderr: 0 fatal, 1 error, 2 warn, 3 info (default), or 4 debug with stack traces.',
  },
  { name: 'log', short: 'l', type: 'text', value: 'PATH', help: 'Also write messages to this file.' },
  {
    name: 'log_age',
    type: 'text',
    value: 'AGE',
    choices: ['daily', 'weekly', 'monthly'],
    help: 'Start a new feeder log at this interval, and keep the last ten logs.',
  },
  {
    name: 'log_size',
    type: 'bytes',
    value: 'BYTES',
    min: 1024,
    max: 2 ** 40,
    help:
      'Start a new feeder log when the log reaches this size, such as 1000000 or 10M. ' +
      'The default is 10M unless --log_age is specified.',
  },
  { name: 'dot_rq_dir', type: 'text', value: 'DIR', help: 'Directory for feeder logs (default ~/.rq).' },
  {
    name: 'lock-timeout',
    type: 'number',
    value: 'SECONDS',
    min: 0,
    max: 86_400,
    help:
      'Maximum number of seconds to wait for the lease, for locks and for the file server. ' +
      'The default is 60, or 600 for feeders. When this time has passed, rq exits with status 75.',
  },
  { name: 'help', short: 'h', type: 'flag', help: 'Print help for this command.' },
  { name: 'version', type: 'flag', help: 'Print the version.' },
];

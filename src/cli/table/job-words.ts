import { TEXT_OPTIONS } from '../../job/columns.ts';
import { MAX_PRIORITY, MIN_PRIORITY } from '../../job/limits.ts';
import type { OptionSpec } from '../parse/command-spec.ts';

/** For commands that only read. */
export const SNAPSHOT: OptionSpec = {
  name: 'snapshot',
  short: 's',
  type: 'flag',
  help: 'Work on a private copy of the database, made first.',
};

export const QUIET: OptionSpec = { name: 'quiet', short: 'q', type: 'flag', help: 'Print nothing on stdout.' };

export const SUBMIT_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'priority',
    short: 'p',
    type: 'integer',
    value: 'N',
    min: MIN_PRIORITY,
    max: MAX_PRIORITY,
    help: 'Jobs of a higher priority start first (default 0; may be negative).',
  },
  ...TEXT_OPTIONS.map(({ field, ...option }): OptionSpec => ({ ...option, type: 'text' })),
  { name: 'restartable', type: 'flag', help: 'The job may run again from its start if its host is lost.' },
  { name: 'stage', type: 'flag', help: 'Enter it as holding: it waits until it is updated to pending.' },
  {
    name: 'stdin',
    short: 's',
    type: 'optional',
    value: 'FILE|-',
    help: "Copy this file into the queue as the job's stdin; without =FILE, or with -, what rq reads on its own stdin.",
  },
  {
    name: 'data',
    short: 'd',
    type: 'text',
    value: 'PATH',
    help: 'Copy this file or directory into the queue, to data/JID.',
  },
  { name: 'cwd', type: 'text', value: 'DIR', help: 'The directory the job runs in (default: this one).' },
  { name: 'infile', short: 'i', type: 'text', value: 'FILE', help: 'Read the jobs from this file.' },
  QUIET,
];

export const SELECTION =
  'Jobs are selected by jid (42), range (10-20) or list of them (1,3,7-9); by state, of which a unique prefix will do ' +
  '(p h r f d); by failed, for dead ones and those that ended by a signal or with an exit status other than 0; by key=value, where key is a field or a unique prefix of one and null stands for no value; or by all. ' +
  'Jids, states and failed add up; key=value pairs narrow what they select down, or all jobs if they stand alone.';

export const SELECTION_INPUT =
  'The word - reads jids from stdin: YAML or JSON that rq printed, or lines such as 42 or jid: 42.';

import { TEXT_OPTIONS } from '../../../job/fields.ts';
import { MAX_CPUS, MAX_PRIORITY, MAX_RETRIES, MIN_PRIORITY } from '../../../job/limits.ts';
import type { OptionSpec } from '../../parse/command-spec.ts';
import { QUIET } from '../../parse/shared-options.ts';

/** An option of submit, touch, resubmit and update. */
export const ENV: OptionSpec = {
  name: 'env',
  type: 'list',
  value: 'NAME[=VALUE],…',
  help:
    'Set environment variables of the job. NAME has the value that it has now; "all" means all variables of this shell ' +
    'except those of the session and of the host. Write "\\," for a comma in a value. This option can be repeated.',
};

/** The options of submit, touch and resubmit. */
export const SUBMIT_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'priority',
    short: 'p',
    type: 'integer',
    value: 'N',
    min: MIN_PRIORITY,
    max: MAX_PRIORITY,
    help: 'Priority of the job (default 0; may be negative). Jobs with a higher priority start first.',
  },
  {
    name: 'retries',
    type: 'integer',
    value: 'N',
    min: 0,
    max: MAX_RETRIES,
    help: 'Number of further attempts after failures (default 0).',
  },
  {
    name: 'cpus',
    type: 'integer',
    value: 'N',
    min: 1,
    max: MAX_CPUS,
    help: 'Number of cpus that the job takes on its host (default 1).',
  },
  {
    name: 'gpus',
    type: 'text',
    value: 'N',
    help: 'Number of GPUs that the job takes on its host. It sees only these GPUs (CUDA_VISIBLE_DEVICES).',
  },
  {
    name: 'need',
    type: 'list',
    value: 'NAME=N,…',
    help: 'Other resources that the job takes on its host, as given with "feed --have". This option can be repeated.',
  },
  {
    name: 'lane',
    type: 'list',
    value: 'NAME,…',
    help: 'Put the job in these lanes, whose limits apply to the whole cluster. This option can be repeated.',
  },
  {
    name: 'after',
    type: 'list',
    value: 'JOB,…',
    help:
      'Start the job when these jobs have ended with success: jids (41), ranges (40-45) or KEY=VALUE (tag=x). ' +
      '"any:" before a term means that they have ended in any way, "failed:" that they have failed. ' +
      '"each:JID" pairs the tasks of two arrays. This option can be repeated.',
  },
  ...TEXT_OPTIONS.map(({ field, ...option }): OptionSpec => ({ ...option, type: 'text' })),
  { name: 'restartable', type: 'flag', help: 'Run the job again from the beginning if its host is lost.' },
  {
    name: 'stage',
    type: 'flag',
    help: 'Hold the job until you release it with "release JID".',
  },
  {
    name: 'stdin',
    short: 's',
    type: 'optional',
    value: 'FILE|-',
    help: 'Copy this file into the queue as the stdin of the job. Without "=FILE", or with "-", copy the stdin of rq.',
  },
  {
    name: 'data',
    short: 'd',
    type: 'text',
    value: 'PATH',
    help: 'Copy this file or directory into the queue; the link data/JID leads to it.',
  },
  { name: 'cwd', type: 'text', value: 'DIR', help: 'Working directory of the job (the current directory by default).' },
  ENV,
  {
    name: 'script',
    type: 'text',
    value: 'FILE|-',
    help:
      'Copy this script into the queue and run the copy, with the positional arguments. ' +
      'Lines "#RQ OPTIONS" before its first command contain options. With "-", read the script from stdin.',
  },
  { name: 'infile', short: 'i', type: 'text', value: 'FILE', help: 'Read a list of jobs from this file.' },
  QUIET,
];

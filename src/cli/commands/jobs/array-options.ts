import { MAX_JOBS, MAX_RUNNING } from '../../../job/limits.ts';
import type { OptionSpec } from '../../parse/command-spec.ts';

/** The options of submit that make a job the tasks of an array or a sweep. */
export const ARRAY_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'array',
    type: 'text',
    value: 'INDEXES[%N]',
    help:
      'Submit a task for each index, such as 1-100, 0-90:10 (every tenth) or 1,5,7-9. ' +
      'With %N, at most N tasks run at the same time.',
  },
  {
    name: 'for',
    type: 'list',
    value: 'NAME=VALUES',
    help:
      'Submit a task for each value: a list (0.1,0.01), numbers (1..5 or 0..1:0.25), ' +
      'the lines of a file (@FILE) or of stdin (@-). Write "\\," for a comma in a value. This option can be repeated.',
  },
  {
    name: 'at-most',
    type: 'integer',
    value: 'N',
    min: 1,
    max: MAX_RUNNING,
    help: 'Run at most N tasks of the array or the sweep at the same time.',
  },
  {
    name: 'max-fails',
    type: 'integer',
    value: 'N',
    min: 1,
    max: MAX_JOBS,
    help: 'Stop the array or the sweep after N tasks have failed: its pending tasks become dead. Running tasks continue.',
  },
];

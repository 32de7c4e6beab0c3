import { MAX_SLOTS } from '../../../job/limits.ts';
import type { OptionSpec } from '../../parse/command-spec.ts';
import { RESOURCE_OPTIONS } from './resource-options.ts';

export const FEED_QUIET: OptionSpec = {
  name: 'quiet',
  short: 'q',
  type: 'flag',
  help: 'Exit silently with status 0 if this host already has a feeder for the queue.',
};

/** The options of every command that starts a feeder. */
export const FEED_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'max_feed',
    type: 'integer',
    value: 'N',
    min: 1,
    max: MAX_SLOTS,
    help:
      'Number of cpus to give to jobs. A job takes one cpu, or the number of its --cpus. ' +
      'The default is the setting of the queue, or the number of available processors.',
  },
  ...RESOURCE_OPTIONS,
  {
    name: 'min_sleep',
    type: 'number',
    value: 'SECONDS',
    min: 0.01,
    max: 86_400,
    help: 'Minimum number of seconds between polls by an idle feeder. The default is the setting of the queue, or 1.',
  },
  {
    name: 'max_sleep',
    type: 'number',
    value: 'SECONDS',
    min: 0.01,
    max: 86_400,
    help: 'Maximum number of seconds between polls by an idle feeder. The default is the setting of the queue, or 5.',
  },
  { name: 'trust-group', type: 'flag', help: 'Feed from the queue even if the members of its group can write to it.' },
  {
    name: 'retries',
    type: 'integer',
    value: 'N',
    min: 0,
    max: 1_000_000,
    help: 'Number of retries if the queue is busy or unreachable (default 1000000).',
  },
];

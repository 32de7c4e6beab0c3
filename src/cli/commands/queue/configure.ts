import { closest } from 'fastest-levenshtein';
import { RqError } from '../../../job/errors.ts';
import { configureQueue, readSettings, SETTING_RANGES, type Settings } from '../../../queue/settings.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';

export const spec: CommandSpec = {
  name: 'configure',
  short: ['C'],
  summary: 'print or change the settings of the queue',
  positionals: '[KEY=VALUE…]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [],
  report: ['max_feed', 'min_sleep', 'max_sleep', 'lost_after', 'kill_grace', 'retention'],
  description: [
    'Changes the specified settings and prints all settings. The value "null" restores the default.',
    'max_feed, min_sleep and max_sleep are the defaults of the "feed" options with the same names. ' +
      'A running feeder uses new settings after it restarts. ' +
      'lost_after is the number of seconds without a heartbeat after which a host is declared lost (default 900). ' +
      'The restartable jobs of a lost host return to pending, and its other running jobs become dead. ' +
      'kill_grace is the number of seconds between SIGTERM and SIGKILL when rq ends a job (default 30). ' +
      'retention is the minimum number of seconds that an ended job stays in the queue before "rotate" moves it.',
  ],
  examples: [
    ['rq q configure', 'print all settings'],
    ['rq q configure max_feed=4 max_sleep=30', 'give four cpus to jobs on each host'],
    ['rq q configure retention=604800', 'keep ended jobs in the queue for a week'],
  ],
};

const NAMES = Object.keys(SETTING_RANGES) as (keyof Settings)[];

/** Changes the given settings of a queue, and prints all settings. */
export async function run(call: CommandCall): Promise<undefined> {
  const changes = new Map(call.positionals.map(readSetting));
  if (changes.size < call.positionals.length)
    throw new RqError('USAGE', 'cannot configure: a setting is specified twice');
  const settings = await useQueue(call, (queue) =>
    changes.size === 0 ? readSettings(queue) : configureQueue(queue, changes),
  );
  await printReport(call, { ...settings });
}

function readSetting(word: string): [keyof Settings, number | null] {
  const [, key = word, text = ''] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
  const name = NAMES.find((each) => each === key.replaceAll('-', '_'));
  if (name === undefined) {
    const nearest = closest(key, NAMES);
    throw new RqError(
      'USAGE',
      `unknown setting "${key}"; did you mean ${nearest}? The settings are ${NAMES.join(', ')}`,
    );
  }
  if (!word.includes('=')) throw new RqError('USAGE', `cannot configure ${name}: give a value, as in ${name}=4`);
  if (text === 'null') return [name, null];
  const { min, max, isWhole } = SETTING_RANGES[name];
  const value = Number(text);
  const isNumber = /^\d+(?:\.\d+)?$/.test(text) && (!isWhole || Number.isInteger(value));
  if (isNumber && value >= min && value <= max) return [name, value];
  const kind = isWhole ? 'a whole number' : 'a number';
  throw new RqError(
    'INVALID_INPUT',
    `cannot configure ${name}=${text}: the value must be ${kind} from ${min} to ${max}, or null`,
  );
}

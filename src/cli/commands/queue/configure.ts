import { closest } from 'fastest-levenshtein';
import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { RqError } from '../../../job/errors.ts';
import { DURATION_FORMS, durationText, parseDuration } from '../../../job/quantities/duration.ts';
import {
  configureQueue,
  isInForm,
  readSettings,
  SETTING_FORMS,
  type SettingForm,
  type Settings,
  type SettingValue,
} from '../../../queue/settings.ts';
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
  report: [
    'max_feed',
    'min_sleep',
    'max_sleep',
    'lost_after',
    'kill_grace',
    'retention',
    'max_per_user',
    'fair',
    'reserve_after',
  ],
  description: [
    'Changes the specified settings and prints all settings. The value "null" restores the default. ' +
      `A duration is a number of seconds, or has units, such as ${DURATION_FORMS}. rq prints it in seconds.`,
    'max_feed, min_sleep and max_sleep are the defaults of the "feed" options with the same names. ' +
      'lost_after is the time without a heartbeat after which a host is declared lost (default 900). ' +
      'The restartable jobs of a lost host return to pending, and its other running jobs become dead. ' +
      'kill_grace is the time between SIGTERM and SIGKILL when rq ends a job (default 30). ' +
      'A running feeder uses a new value of these settings after it restarts. ' +
      'retention is the minimum time that an ended job stays in the queue before "rotate" moves it.',
    'max_per_user is the maximum number of jobs of one owner that run at the same time in the whole cluster. ' +
      'With fair=true, jobs of the owner with the fewest running cpus start first among jobs of the same priority. ' +
      'reserve_after is the time after which rq keeps places free for a job that later jobs have passed over (default 600). ' +
      'Feeders apply these settings at once.',
  ],
  examples: [
    ['rq q configure', 'print all settings'],
    ['rq q configure max_feed=4 max_sleep=30', 'give four cpus to jobs on each host'],
    ['rq q configure max_per_user=20 fair=true', 'share the cluster between users'],
    ['rq q configure retention=7d', 'keep ended jobs in the queue for a week'],
  ],
};

const NAMES = Object.keys(SETTING_FORMS) as (keyof Settings)[];

/** Changes the given settings of a queue, and prints all settings. */
export async function run(call: CommandCall): Promise<undefined> {
  const changes = new Map(call.positionals.map(readSetting));
  if (changes.size < call.positionals.length)
    throw new RqError('USAGE', 'cannot configure: a setting is specified twice');
  const settings = await useQueue(call, async (queue) => {
    if (changes.size === 0) return await readSettings(queue);
    const changed = await configureQueue(queue, changes);
    wakeFeeder(queue.directory);
    return changed;
  });
  await printReport(call, { ...settings });
}

function readSetting(word: string): [keyof Settings, SettingValue] {
  const [, key = word, text = ''] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
  const name = NAMES.find((each) => each === key.replaceAll('-', '_'));
  if (name === undefined) {
    const nearest = closest(key, NAMES);
    throw new RqError(
      'USAGE',
      `unknown setting "${key}"; did you mean ${nearest}? The settings are ${NAMES.join(', ')}`,
    );
  }
  const form = SETTING_FORMS[name];
  if (!word.includes('=')) {
    const example = form.kind === 'boolean' ? 'true' : '4';
    throw new RqError('USAGE', `cannot configure ${name}: give a value, as in ${name}=${example}`);
  }
  if (text === 'null') return [name, null];
  const value = parseValue(form, text);
  if (value !== undefined) return [name, value];
  throw new RqError('INVALID_INPUT', `cannot configure ${name}=${text}: the value must be ${describe(form)}, or null`);
}

function parseValue(form: SettingForm, text: string): number | boolean | undefined {
  if (form.kind === 'boolean') return text === 'true' || text === 'false' ? text === 'true' : undefined;
  const value = form.kind === 'duration' ? parseDuration(text) : Number(/^\d+$/.test(text) ? text : Number.NaN);
  return value !== undefined && isInForm(form, value) ? value : undefined;
}

function describe(form: SettingForm): string {
  if (form.kind === 'boolean') return 'true or false';
  if (form.kind === 'count') return `a whole number from ${form.min} to ${form.max}`;
  return `a duration from ${durationText(form.min)} to ${durationText(form.max)}, such as ${DURATION_FORMS}`;
}

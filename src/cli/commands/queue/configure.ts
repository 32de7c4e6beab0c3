import { closest } from 'fastest-levenshtein';
import { RqError } from '../../../job/errors.ts';
import { configureQueue, readSettings, SETTING_RANGES, type Settings } from '../../../queue/settings.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

const NAMES = Object.keys(SETTING_RANGES) as (keyof Settings)[];

/** Prints a queue's settings, after setting those that are given. */
export async function run(call: CommandCall): Promise<undefined> {
  const changes = new Map(call.positionals.map(readSetting));
  if (changes.size < call.positionals.length) throw new RqError('USAGE', 'cannot configure: a setting is given twice');
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
    throw new RqError('USAGE', `there is no setting "${key}", did you mean ${nearest}? There are ${NAMES.join(', ')}`);
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
    `cannot configure ${name}=${text}: it must be ${kind} from ${min} to ${max}, or null`,
  );
}

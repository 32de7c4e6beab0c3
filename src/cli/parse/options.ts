import parse from 'yargs-parser';
import { RqError } from '../../job/errors.ts';
import type { OptionValues } from './command-call.ts';
import type { CommandSpec, OptionSpec } from './command-spec.ts';
import { COMMANDS, optionKey, optionsOf } from './command-table.ts';
import { type SpelledWords, spellOptions } from './option-spelling.ts';
import { nearestHint } from './suggestions.ts';

export type OptionValue = string | number | true;

/** Words taken apart: those that are no options before `--` and after it, and the options with checked values. */
export interface ReadWords {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly values: ReadonlyMap<string, OptionValue>;
}

const MULTIPLES: Readonly<Record<string, number>> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 };

/** The words that are no options, by the options of all commands, before it is known which command is meant. */
export function wordsWithoutOptions(words: readonly string[]): Pick<ReadWords, 'before' | 'after'> {
  const options = optionsOf(undefined);
  return readSpelled(spellOptions(words, options), options);
}

/** Reads words by the options of a command. Throws USAGE for an option it does not have, or a wrong or missing value. */
export function readWords(words: readonly string[], command: CommandSpec): ReadWords {
  const options = optionsOf(command);
  const spelled = spellOptions(words, options);
  const unknown = spelled.unknown[0];
  if (unknown !== undefined) throw unknownOption(unknown, command);
  return checked(readSpelled(spelled, options), options);
}

/** Reads options that always apply: those that only other commands have are left out. Throws USAGE as `readWords`. */
export function readStandingOptions(
  words: readonly string[],
  command: CommandSpec,
  source: string,
): ReadWords['values'] {
  const own = optionsOf(command);
  const options = [...own, ...optionsOf(undefined).filter((each) => own.every(({ name }) => name !== each.name))];
  const spelled = spellOptions(words, options);
  const unknown = spelled.unknown[0];
  if (unknown !== undefined)
    throw new RqError('USAGE', `${source} has the option ${unknown}, which no command of rq has`);
  const read = checked(readSpelled(spelled, options), options);
  const word = [...read.before, ...read.after][0];
  if (word !== undefined) throw new RqError('USAGE', `${source} may hold options only, not the word "${word}"`);
  return new Map([...read.values].filter(([key]) => own.some(({ name }) => optionKey(name) === key)));
}

/** Option values by name, in either spelling; later maps win. */
export function optionValues(...maps: readonly ReadonlyMap<string, OptionValue>[]): OptionValues {
  const values = new Map(maps.flatMap((map) => [...map]));
  const value = (name: string): OptionValue | undefined => values.get(optionKey(name));
  return {
    flag: (name) => value(name) === true,
    text: (name) => {
      const text = value(name);
      return typeof text === 'string' ? text : undefined;
    },
    number: (name) => {
      const number = value(name);
      return typeof number === 'number' ? number : undefined;
    },
  };
}

interface RawWords extends Pick<ReadWords, 'before' | 'after'> {
  readonly raw: ReadonlyMap<string, unknown>;
  readonly fault: string | undefined;
}

function readSpelled(spelled: SpelledWords, options: readonly OptionSpec[]): RawWords {
  const { argv, error } = parse.detailed([...spelled.words], {
    string: options.filter(({ type }) => type !== 'flag').map(({ name }) => optionKey(name)),
    // A flag is an option with no values: as a boolean it would take a command's word "true" for its value.
    narg: Object.fromEntries(options.map(({ name, type }) => [optionKey(name), type === 'flag' ? 0 : 1])),
    configuration: {
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'populate--': true,
    },
  });
  const { _: before, '--': after = [], ...values } = argv;
  return {
    before: before.map(String),
    after: after.map(String),
    raw: new Map<string, unknown>(Object.entries(values)),
    fault: error?.message,
  };
}

function checked(read: RawWords, options: readonly OptionSpec[]): ReadWords {
  if (read.fault !== undefined) throw new RqError('USAGE', faultText(read.fault));
  const values = new Map<string, OptionValue>();
  for (const option of options) {
    const key = optionKey(option.name);
    const value = read.raw.get(key);
    if (value === undefined) continue;
    values.set(key, option.type === 'flag' ? true : checkedValue(option, String(value)));
  }
  return { before: read.before, after: read.after, values };
}

function faultText(fault: string): string {
  const missing = /^Not enough arguments following: (.+)$/.exec(fault)?.[1];
  if (missing !== undefined)
    return `the option --${missing} needs a value (one that begins with "-" is given as --${missing}=VALUE)`;
  const unexpected = /^Argument unexpected for: (.+)$/.exec(fault)?.[1];
  return unexpected === undefined ? fault : `the option --${unexpected} takes no value`;
}

function checkedValue(option: OptionSpec, text: string): OptionValue {
  if (text === '') throw new RqError('USAGE', `the option --${option.name} needs a value, not an empty one`);
  if (option.type === 'text' || option.type === 'optional') {
    if (option.choices === undefined || option.choices.includes(text)) return text;
    const hint = nearestHint(text, option.choices);
    throw new RqError(
      'USAGE',
      `the option --${option.name} must be ${option.choices.join(' or ')}, not "${text}"${hint}`,
    );
  }
  const number = numberOf(text, option.type);
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = option;
  if (number !== undefined && number >= min && number <= max) return number;
  const kind = option.type === 'number' ? 'a number' : 'a whole number';
  const suffix = option.type === 'bytes' ? ' (or with k, M or G behind it)' : '';
  throw new RqError(
    'USAGE',
    `the option --${option.name} must be ${kind} from ${min} to ${max}${suffix}, not "${text}"`,
  );
}

function numberOf(text: string, type: OptionSpec['type']): number | undefined {
  if (type === 'bytes') {
    const [, digits, suffix = ''] = /^(\d+)([kKMG]?)$/.exec(text) ?? [];
    return digits === undefined ? undefined : Number(digits) * (MULTIPLES[suffix] ?? 1);
  }
  const form = type === 'integer' ? /^[+-]?\d+$/ : /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
  return form.test(text) ? Number(text) : undefined;
}

function unknownOption(word: string, command: CommandSpec): RqError {
  const typed = word.replace(/=.*$/s, '');
  const others = COMMANDS.filter((each) =>
    each.options.some(({ name }) => optionKey(`--${name}`) === optionKey(typed)),
  );
  const names = typed.startsWith('--') ? optionsOf(command).map(({ name }) => `--${name}`) : [];
  const hint = others.length > 0 ? ` (${others.map(({ name }) => name).join(', ')} has it)` : nearestHint(typed, names);
  return new RqError('USAGE', `${command.name} has no option ${typed}${hint}`, { facts: { option: typed } });
}

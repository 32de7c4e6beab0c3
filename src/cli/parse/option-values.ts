import { RqError } from '../../job/errors.ts';
import type { OptionValues } from './command-call.ts';
import type { OptionSpec } from './command-spec.ts';

export type OptionValue = string | number | true | readonly string[];

/** Words are taken literally: no numbers, no negation, no nested keys. */
export const PARSER_SETTINGS = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': true,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'populate--': true,
} as const;

const MULTIPLES: Readonly<Record<string, number>> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 };

/** Maps both spellings of an option name to one. */
export function optionKey(name: string): string {
  return name.replaceAll('_', '-');
}

/** Option values by name, in either spelling; later maps take precedence. */
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
    list: (name) => {
      const list = value(name);
      return Array.isArray(list) ? list : [];
    },
  };
}

/** Options in which the values of `defaults` apply where `options` has none. */
export function withDefaults(options: OptionValues, defaults: OptionValues): OptionValues {
  return {
    flag: (name) => options.flag(name) || defaults.flag(name),
    text: (name) => options.text(name) ?? defaults.text(name),
    number: (name) => options.number(name) ?? defaults.number(name),
    list: (name) => (options.list(name).length > 0 ? options.list(name) : defaults.list(name)),
  };
}

/** Checks the raw values that yargs-parser has read. Throws USAGE. */
export function checkValues(
  raw: Readonly<Record<string, unknown>>,
  options: readonly OptionSpec[],
): ReadonlyMap<string, OptionValue> {
  const values = new Map<string, OptionValue>();
  for (const option of options) {
    const value = raw[option.name];
    // An array if the option is repeated.
    if (value !== undefined) values.set(optionKey(option.name), checkGiven(option, [value].flat().map(String)));
  }
  return values;
}

/** The last value counts, unless the option may be repeated. */
function checkGiven(option: OptionSpec, given: readonly string[]): OptionValue {
  switch (option.type) {
    case 'flag':
      return true;
    case 'list':
      return given.map((text) => String(checkValue(option, text)));
    case 'pair':
      if (given.length % 2 === 0) return given;
      throw new RqError('USAGE', `the option --${option.name} needs two values: ${option.value}`);
    default:
      return checkValue(option, given.at(-1) ?? '');
  }
}

function checkValue({ name, type, choices, min = 0, max = 0 }: OptionSpec, text: string): OptionValue {
  if (text === '') throw new RqError('USAGE', `the value of the option --${name} is empty; give a value`);
  if (type === 'text' || type === 'optional' || type === 'list') {
    if (choices === undefined || choices.includes(text)) return text;
    throw new RqError('USAGE', `the option --${name} must be ${choices.join(' or ')}, not "${text}"`);
  }
  const number = numberOf(text, type);
  if (number !== undefined && number >= min && number <= max) return number;
  const kind = type === 'number' ? 'a number' : 'a whole number';
  const suffix = type === 'bytes' ? ' (a suffix k, M or G is allowed)' : '';
  throw new RqError('USAGE', `the option --${name} must be ${kind} from ${min} to ${max}${suffix}, not "${text}"`);
}

function numberOf(text: string, type: OptionSpec['type']): number | undefined {
  if (type === 'bytes') {
    const [, digits, suffix = ''] = /^(\d+)([kKMG]?)$/.exec(text) ?? [];
    return digits === undefined ? undefined : Number(digits) * (MULTIPLES[suffix] ?? 1);
  }
  const form = type === 'integer' ? /^[+-]?\d+$/ : /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
  return form.test(text) ? Number(text) : undefined;
}

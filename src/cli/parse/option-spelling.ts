import type { OptionSpec } from './command-spec.ts';
import { optionKey } from './option-values.ts';

/** Arguments by kind, with every option in its long form and its value after `=`. */
export interface ClassifiedArguments {
  /** Positional arguments before `--`. */
  readonly positionals: readonly string[];
  readonly options: readonly string[];
  /** Options that no command has, as they were typed. */
  readonly unknown: readonly string[];
  /** The arguments after `--`. */
  readonly literals: readonly string[];
}

const NEGATIVE_NUMBER = /^-(?:\d+(?:\.\d+)?|\.\d+)$/;
const LONG = /^--([^=]*)(=.*)?$/s;

/**
 * Sorts arguments by kind and expands options: `-qtx` is `--quiet --tag=x`, `--max-feed 4` is `--max_feed=4`, a bare
 * `--stdin` is `--stdin=-`. yargs-parser supports neither values attached to a letter nor optional values.
 */
export function classifyArguments(args: readonly string[], specs: readonly OptionSpec[]): ClassifiedArguments {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const sorted = { positionals: [] as string[], options: [] as string[], unknown: [] as string[] };
  for (let at = 0; at < end; at += 1) {
    const word = args[at] ?? '';
    const next = at + 1 < end ? args[at + 1] : undefined;
    if (!isOption(word)) {
      sorted.positionals.push(word);
      continue;
    }
    const expanded = expandOption(word, specs);
    if (expanded === undefined) {
      sorted.unknown.push(word);
      continue;
    }
    const open = incompleteOption(expanded, specs);
    if (open !== undefined && next !== undefined && isValue(next, open, specs)) {
      expanded.push(`${expanded.pop()}=${next}`);
      at += 1;
    }
    const pair = pairOption(expanded.at(-1), specs);
    const second = at + 1 < end ? args[at + 1] : undefined;
    if (pair !== undefined && second !== undefined && isValue(second, pair, specs)) {
      expanded.push(`--${pair.name}=${second}`);
      at += 1;
    }
    sorted.options.push(...expanded);
  }
  return { ...sorted, literals: args.slice(end + 1) };
}

/** Whether an argument before `--` is an option, or several short options. */
export function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-' && !NEGATIVE_NUMBER.test(word);
}

/** The options of an argument in their long form; undefined if one is unknown. */
export function expandOption(word: string, specs: readonly OptionSpec[]): string[] | undefined {
  return word.startsWith('--') ? expandLong(word, specs) : expandLetters(word, specs);
}

/** The last of the expanded options if the next argument is its value. */
export function incompleteOption(expanded: readonly string[], specs: readonly OptionSpec[]): OptionSpec | undefined {
  const last = expanded.at(-1);
  return specs.find(({ name, type }) => `--${name}` === last && type !== 'flag');
}

/** A value of a pair is any text, such as an option of a job, except an option of rq without a value. */
function isValue(word: string, { type }: OptionSpec, specs: readonly OptionSpec[]): boolean {
  return !isOption(word) || (type === 'pair' && (/[ =]/.test(word) || expandOption(word, specs) === undefined));
}

/** The option of a word `--name=value` that needs a second value. */
function pairOption(word: string | undefined, specs: readonly OptionSpec[]): OptionSpec | undefined {
  return specs.find(({ name, type }) => type === 'pair' && word?.startsWith(`--${name}=`) === true);
}

function expandLong(word: string, specs: readonly OptionSpec[]): string[] | undefined {
  const [, name = '', value = ''] = LONG.exec(word) ?? [];
  const option = specs.find((each) => optionKey(each.name) === optionKey(name));
  return option && [spell(option, value)];
}

function expandLetters(word: string, specs: readonly OptionSpec[]): string[] | undefined {
  const expanded: string[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const option = specs.find((each) => each.short === word[at]);
    if (option === undefined) return undefined;
    const rest = word.slice(at + 1);
    const hasAttachedValue =
      rest.startsWith('=') || (rest !== '' && option.type !== 'flag' && option.type !== 'optional');
    expanded.push(spell(option, hasAttachedValue ? `=${rest.replace(/^=/, '')}` : ''));
    if (hasAttachedValue) break;
  }
  return expanded;
}

function spell(option: OptionSpec, value: string): string {
  const given = value === '' && option.type === 'optional' ? '=-' : value;
  return `--${option.name}${given}`;
}

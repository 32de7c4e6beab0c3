import type { OptionSpec } from './command-spec.ts';
import { optionKey } from './option-values.ts';

/** Words sorted into kinds, with every option in its long form and its value behind `=`. */
export interface SortedWords {
  /** Positional arguments before `--`. */
  readonly positionals: readonly string[];
  readonly options: readonly string[];
  /** Options that no command has, as they were typed. */
  readonly unknown: readonly string[];
  /** The words after `--`. */
  readonly literals: readonly string[];
}

const NEGATIVE_NUMBER = /^-(?:\d+(?:\.\d+)?|\.\d+)$/;
const LONG = /^--([^=]*)(=.*)?$/s;

/**
 * Sorts words and spells options out: `-qtx` is `--quiet --tag=x`, `--max-feed 4` is `--max_feed=4`, a bare `--stdin`
 * is `--stdin=-`. yargs-parser supports neither values attached to a letter nor optional values.
 */
export function sortWords(words: readonly string[], known: readonly OptionSpec[]): SortedWords {
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  const sorted = { positionals: [] as string[], options: [] as string[], unknown: [] as string[] };
  for (let at = 0; at < end; at += 1) {
    const word = words[at] ?? '';
    const next = at + 1 < end ? words[at + 1] : undefined;
    if (!isOption(word)) {
      sorted.positionals.push(word);
      continue;
    }
    const spelled = spellOption(word, known);
    if (spelled === undefined) {
      sorted.unknown.push(word);
      continue;
    }
    const open = openOption(spelled, known);
    if (open !== undefined && next !== undefined && !isOption(next)) {
      spelled.push(`${spelled.pop()}=${next}`);
      at += 1;
    }
    sorted.options.push(...spelled);
  }
  return { ...sorted, literals: words.slice(end + 1) };
}

/** Whether a word before `--` is an option, or several letters of options. */
export function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-' && !NEGATIVE_NUMBER.test(word);
}

/** The options of a word in their long form; undefined if one is unknown. */
export function spellOption(word: string, known: readonly OptionSpec[]): string[] | undefined {
  return word.startsWith('--') ? spellLong(word, known) : spellLetters(word, known);
}

/** The last of the spelled options if the next word is its value. */
export function openOption(spelled: readonly string[], known: readonly OptionSpec[]): OptionSpec | undefined {
  const last = spelled.at(-1);
  return known.find(({ name, type }) => `--${name}` === last && type !== 'flag');
}

function spellLong(word: string, known: readonly OptionSpec[]): string[] | undefined {
  const [, name = '', value = ''] = LONG.exec(word) ?? [];
  const option = known.find((each) => optionKey(each.name) === optionKey(name));
  return option && [spell(option, value)];
}

function spellLetters(word: string, known: readonly OptionSpec[]): string[] | undefined {
  const spelled: string[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const option = known.find((each) => each.short === word[at]);
    if (option === undefined) return undefined;
    const rest = word.slice(at + 1);
    const takesRest = rest.startsWith('=') || (rest !== '' && option.type !== 'flag' && option.type !== 'optional');
    spelled.push(spell(option, takesRest ? `=${rest.replace(/^=/, '')}` : ''));
    if (takesRest) break;
  }
  return spelled;
}

function spell(option: OptionSpec, value: string): string {
  const given = value === '' && option.type === 'optional' ? '=-' : value;
  return `--${option.name}${given}`;
}

import type { OptionSpec } from './command-spec.ts';
import { optionKey } from './command-table.ts';

/** Words with every option in its long form, and the options that the table does not have, as they were typed. */
export interface SpelledWords {
  readonly words: readonly string[];
  readonly unknown: readonly string[];
}

const NEGATIVE_NUMBER = /^-(?:\d+(?:\.\d+)?|\.\d+)$/;
const LONG = /^--([^=]*)(=.*)?$/s;

/**
 * Spells every option before `--` out: `-qtx` is `--quiet --tag=x`, `--max_feed` is `--max-feed`, a bare `--stdin` is
 * `--stdin=-`. yargs-parser knows neither values that are attached to a letter nor values that may be left out.
 */
export function spellOptions(words: readonly string[], options: readonly OptionSpec[]): SpelledWords {
  const spelled: string[] = [];
  const unknown: string[] = [];
  for (const [index, word] of words.entries()) {
    if (word === '--') return { words: [...spelled, ...words.slice(index)], unknown };
    if (!isOption(word)) {
      spelled.push(word);
      continue;
    }
    const found = word.startsWith('--') ? spellLong(word, options) : spellLetters(word, options);
    if (found === undefined) unknown.push(word);
    else spelled.push(...found);
  }
  return { words: spelled, unknown };
}

/** True for a word that is an option, or several letters of them, where it does not stand after `--`. */
export function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-' && !NEGATIVE_NUMBER.test(word);
}

function spellLong(word: string, options: readonly OptionSpec[]): string[] | undefined {
  const [, name = '', value = ''] = LONG.exec(word) ?? [];
  const option = options.find((each) => optionKey(each.name) === optionKey(name));
  return option && [spell(option, value)];
}

function spellLetters(word: string, options: readonly OptionSpec[]): string[] | undefined {
  const spelled: string[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const option = options.find((each) => each.short === word[at]);
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
  return `--${optionKey(option.name)}${given}`;
}

import { JOB_FIELDS } from '../../../job/job.ts';
import type { NamedCommand } from '../../parse/command-name.ts';
import type { CommandSpec, OptionSpec } from '../../parse/command-spec.ts';
import { optionKey, optionsOf } from '../../parse/command-table.ts';
import { isOption, spellOptions } from '../../parse/option-spelling.ts';
import { COMMON_OPTIONS } from '../../table/common.ts';
import { bare, behind, type Completion, DIRECTORIES, FILES, fitting, NOTHING, oneOf } from './candidates.ts';
import { completeTags } from './selection-words.ts';
import type { TypedLine } from './typed-line.ts';

/** The option that is being typed, or its value; undefined where the word is neither. */
export async function completeOption(
  line: TypedLine,
  named: NamedCommand | undefined,
): Promise<Completion | undefined> {
  const { current } = line;
  const open = openOption(line.previous.at(-1), optionsOf(named?.command));
  if (open !== undefined) return fitting(await completeValue(open, current, named), current);
  if (!current.startsWith('-')) return undefined;
  const options = named === undefined ? COMMON_OPTIONS : optionsOf(named.command);
  const [, name, typed = ''] = /^--([^=]+)=(.*)$/s.exec(current) ?? [];
  if (name === undefined) return oneOf(optionNames(current, options));
  const option = options.find((each) => optionKey(each.name) === optionKey(name));
  if (option === undefined || option.type === 'flag') return NOTHING;
  return behind(`--${name}=`, fitting(await completeValue(option, typed, named), typed));
}

/** The words of an unfinished line that are no options, nor values of one. */
export function wordsWithoutOptions(words: readonly string[]): string[] {
  const options = optionsOf(undefined);
  const others: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') return [...others, ...words.slice(at + 1)];
    if (!isOption(word)) others.push(word);
    else if (openOption(word, options) !== undefined) at += 1;
  }
  return others;
}

/** The option at the end of a word that has yet to get its value. */
function openOption(word: string | undefined, options: readonly OptionSpec[]): OptionSpec | undefined {
  if (word === undefined || !isOption(word)) return undefined;
  const last = spellOptions([word], options).words.at(-1);
  const option = options.find(({ name }) => `--${optionKey(name)}` === last);
  return option?.type === 'flag' || option?.type === 'optional' ? undefined : option;
}

/** Long options, spelled with `_` or `-` as far as they are typed; after a single `-` short ones too. */
function optionNames(typed: string, options: readonly OptionSpec[]): Completion['candidates'] {
  const long = options
    .map(({ name, help }) => ({ text: `--${name}`, about: firstSentence(help) }))
    .filter(({ text }) => optionKey(text).startsWith(optionKey(typed)))
    .map(({ text, about }) => ({ text: typed + text.slice(typed.length), about }));
  const short = options.flatMap(({ short: letter, help }) =>
    letter === undefined || typed !== '-' ? [] : [{ text: `-${letter}`, about: firstSentence(help) }],
  );
  return [...long, ...short];
}

async function completeValue(option: OptionSpec, typed: string, named: NamedCommand | undefined): Promise<Completion> {
  if (option.choices !== undefined) return oneOf(bare(option.choices));
  if (option.name === 'tag') return named === undefined ? NOTHING : oneOf(await completeTags(named.queue, typed));
  if (option.name === 'fields') return named !== undefined && printsJobs(named.command) ? fieldNames(typed) : NOTHING;
  if (/FILE|PATH/.test(option.value ?? '')) return FILES;
  return option.value === 'DIR' ? DIRECTORIES : NOTHING;
}

function fieldNames(typed: string): Completion {
  const head = /^.*,/s.exec(typed)?.[0] ?? '';
  const named = head.split(',');
  return behind(head, oneOf(bare(JOB_FIELDS.filter((name) => !named.includes(name)))));
}

function printsJobs({ positionals }: CommandSpec): boolean {
  return /SELECTION|COMMAND|EXPRESSION/.test(positionals);
}

function firstSentence(help: string): string {
  return help.replace(/\.(?: .*)?$/s, '');
}

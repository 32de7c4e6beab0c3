import type { NamedCommand } from '../../parse/command-name.ts';
import type { OptionSpec } from '../../parse/command-spec.ts';
import { ALL_OPTIONS, type Command, optionsOf } from '../../parse/command-table.ts';
import { expandOption, incompleteOption, isOption } from '../../parse/option-spelling.ts';
import { optionKey } from '../../parse/option-values.ts';
import { COMMON_OPTIONS } from '../../parse/shared-options.ts';
import {
  type Completion,
  candidatesFrom,
  completeLanes,
  completeTags,
  completionOf,
  DIRECTORIES,
  FILES,
  NO_CANDIDATES,
  startingWith,
  withPrefix,
} from './candidates.ts';
import type { TypedLine } from './typed-line.ts';

/** Completes an option, or its value; undefined if the word is neither. */
export async function completeOption(
  { previous, current }: TypedLine,
  named: NamedCommand | undefined,
): Promise<Completion | undefined> {
  const last = previous.at(-1) ?? '';
  const options = named === undefined ? ALL_OPTIONS : optionsOf(named.command);
  const open = isOption(last) ? incompleteOption(expandOption(last, options) ?? [], options) : undefined;
  if (open !== undefined) return startingWith(await completeValue(open, current, named), current);
  if (!current.startsWith('-')) return undefined;
  const own = named === undefined ? COMMON_OPTIONS : options;
  const [, name, typed = ''] = /^--([^=]+)=(.*)$/s.exec(current) ?? [];
  if (name === undefined) return completionOf(optionNames(current, own));
  const option = own.find((each) => optionKey(each.name) === optionKey(name));
  if (option === undefined || option.type === 'flag') return NO_CANDIDATES;
  return withPrefix(`--${name}=`, startingWith(await completeValue(option, typed, named), typed));
}

/** Long options, with `_` or `-` as far as they are typed; after a single `-` short options too. */
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
  if (option.choices !== undefined) return completionOf(candidatesFrom(option.choices));
  if (option.name === 'tag')
    return named === undefined ? NO_CANDIDATES : completionOf(await completeTags(named.queue, typed));
  if (option.name === 'lane') return named === undefined ? NO_CANDIDATES : await completeLanes(named.queue, typed);
  if (option.name === 'fields') return named === undefined ? NO_CANDIDATES : fieldNames(named.command, typed);
  if (/FILE|PATH/.test(option.value ?? '')) return FILES;
  return option.value === 'DIR' ? DIRECTORIES : NO_CANDIDATES;
}

function fieldNames({ report: names = [] }: Command, typed: string): Completion {
  const prefix = /^.*,/s.exec(typed)?.[0] ?? '';
  const used = prefix.split(',');
  return withPrefix(prefix, completionOf(candidatesFrom(names.filter((name) => !used.includes(name)))));
}

function firstSentence(help: string): string {
  return help.replace(/\.(?: .*)?$/s, '');
}

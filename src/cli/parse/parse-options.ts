import { Parser } from 'yargs/helpers';
import type { OptionSpec } from './command-spec.ts';
import type { ClassifiedArguments } from './option-spelling.ts';
import { PARSER_SETTINGS } from './option-values.ts';

/** Parses classified arguments with the options of a command. */
export function parseOptions(
  rest: ClassifiedArguments,
  options: readonly OptionSpec[],
): ReturnType<typeof Parser.detailed> {
  return Parser.detailed(yargsArguments(rest), {
    string: options.filter(({ type }) => type !== 'flag').map(({ name }) => name),
    // A flag is an option with no values: a boolean would take the word "true" of a command line as its value. A value of a
    // pair can be empty, which `narg` does not allow.
    narg: Object.fromEntries(
      options.filter(({ type }) => type !== 'pair').map(({ name, type }) => [name, type === 'flag' ? 0 : 1]),
    ),
    configuration: PARSER_SETTINGS,
  });
}

/** Classified arguments in the form that yargs reads. */
export function yargsArguments({ positionals, options, unknown, literals }: ClassifiedArguments): string[] {
  return [...positionals, ...options, ...unknown, '--', ...literals];
}

/** Whether a word is one of the options, in its long form. */
export function isOneOf(options: readonly OptionSpec[], word: string): boolean {
  return options.some(({ name }) => `--${name}` === word.replace(/=.*$/s, ''));
}

import { errorMessage, RqError } from '../../job/errors.ts';
import { nearestHint } from '../../job/terms/names.ts';
import type { CommandSpec, OptionSpec } from './command-spec.ts';
import { classifyArguments } from './option-spelling.ts';
import { checkValues, type OptionValue } from './option-values.ts';
import { isOneOf, parseOptions } from './parse-options.ts';
import { COMMON_OPTIONS } from './shared-options.ts';
import { splitWords } from './shell-words.ts';

/** Options that concern the call of rq and not the job. */
const NOT_IN_SCRIPTS = ['dependents', 'infile', 'quiet', 'script', 'wait'];

/** The options of a command that a script may contain, and all options of rq. */
export interface ScriptOptions {
  readonly command: string;
  /** All options of the command. */
  readonly own: readonly OptionSpec[];
  readonly allowed: readonly OptionSpec[];
  readonly all: readonly OptionSpec[];
}

export function scriptOptions(command: string, commands: readonly CommandSpec[]): ScriptOptions {
  const ofCommand = commands.find(({ name }) => name === command)?.options ?? [];
  const own = [...ofCommand, ...COMMON_OPTIONS];
  const all = [...own, ...commands.flatMap(({ options }) => options)];
  return { command, own, allowed: ofCommand.filter(({ name }) => !NOT_IN_SCRIPTS.includes(name)), all };
}

/**
 * Reads the options of one `#RQ` line, which are quoted as in a shell; a word `#` begins a comment. `place` begins the
 * message of an error: `cannot submit: run.sh, line 3`. Throws USAGE.
 */
export function readScriptLine(text: string, place: string, known: ScriptOptions): ReadonlyMap<string, OptionValue> {
  const { allowed, all } = known;
  try {
    const words = splitWords(text, 'the options');
    const comment = words.indexOf('#');
    const sorted = classifyArguments(comment === -1 ? words : words.slice(0, comment), all);
    refuseOthers(sorted, known);
    const { argv, error } = parseOptions(sorted, allowed);
    if (error !== null) throw error;
    return checkValues(argv, allowed);
  } catch (error) {
    throw new RqError('USAGE', `${place}: ${errorMessage(error)}`, { cause: error });
  }
}

function refuseOthers(
  { options, unknown, positionals, literals }: ReturnType<typeof classifyArguments>,
  { command, own, allowed }: ScriptOptions,
): void {
  const [name] = unknown;
  if (name !== undefined) {
    const hint = nearestHint(
      name.replace(/=.*$/s, ''),
      allowed.map((each) => `--${each.name}`),
    );
    throw new RqError('USAGE', `there is no option ${name}${hint}`);
  }
  const [word] = [...positionals, ...literals];
  if (word !== undefined) throw new RqError('USAGE', `only options are allowed, not the word "${word}"`);
  const other = options.find((each) => !isOneOf(allowed, each));
  if (other === undefined) return;
  const shown = other.replace(/=.*$/s, '');
  const advice = isOneOf(own, other) ? 'give it on the command line' : `"${command}" has no such option`;
  throw new RqError('USAGE', `the option ${shown} is not allowed in a script; ${advice}`);
}

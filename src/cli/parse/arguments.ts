import { RqError } from '../../job/errors.ts';
import type { OptionValues } from './command-call.ts';
import { nameCommand } from './command-name.ts';
import type { CommandSpec } from './command-spec.ts';
import { optionValues, readStandingOptions, readWords, wordsWithoutOptions } from './options.ts';
import { splitWords } from './shell-words.ts';

/** Commands whose words may be a command with options of its own, and what stands before it. */
const TAKES_COMMAND = new Map([
  ['submit', 'submit'],
  ['touch', 'touch'],
  ['lock', 'lock read'],
]);

/** A command line, understood. Positionals from `literalFrom` on stood after `--`. */
export interface Arguments {
  readonly command: CommandSpec;
  readonly queue: string;
  readonly positionals: readonly string[];
  readonly literalFrom: number;
  readonly options: OptionValues;
}

/**
 * Reads the words of a command line and the environment's RQ_Q, RQ_QUEUE, RQ_OPTS and RQ_OPTIONS; the command line
 * wins. Words are read twice, since the options that a command has are known only once the command is. Throws USAGE.
 */
export function readArguments(words: readonly string[], environment: NodeJS.ProcessEnv): Arguments {
  const { before, after } = wordsWithoutOptions(words);
  const { command, queue, used } = nameCommand([...before, ...after], environment);
  try {
    const read = readWords(words, command);
    const positionals = [...read.before, ...read.after].slice(used);
    const literalFrom = Math.max(0, read.before.length - used);
    const options = optionValues(standingOptions(command, environment), read.values);
    refuseCommandHelp(command, positionals, read.values);
    if (!options.flag('help')) checkPositionalCount(command, positionals);
    return { command, queue, positionals, literalFrom, options };
  } catch (error) {
    throw withHint(error, command, used === 2 ? `rq ${queue}` : 'rq', [...before, ...after].slice(used));
  }
}

function standingOptions(command: CommandSpec, environment: NodeJS.ProcessEnv): ReturnType<typeof readStandingOptions> {
  const name = environment['RQ_OPTS'] ? 'RQ_OPTS' : 'RQ_OPTIONS';
  const text = environment[name] ?? '';
  return text === '' ? new Map() : readStandingOptions(splitWords(text, name), command, name);
}

/** `submit df -h` asks for no help: who meant the command's option must not get status 0 and no job. */
function refuseCommandHelp(command: CommandSpec, words: readonly string[], values: ReadonlyMap<string, unknown>): void {
  if (!TAKES_COMMAND.has(command.name) || words.length === 0) return;
  for (const name of ['help', 'version']) {
    if (values.has(name))
      throw new RqError('USAGE', `--${name} after a command: is it an option of rq or of the command?`);
  }
}

function checkPositionalCount(command: CommandSpec, words: readonly string[]): void {
  if (words.length < (command.minPositionals ?? 0))
    throw new RqError('USAGE', `${command.name} needs ${command.positionals}`);
  if (words.length <= command.maxPositionals) return;
  const takes = command.maxPositionals === 0 ? 'takes no words' : `takes only ${command.positionals}`;
  throw new RqError('USAGE', `${command.name} ${takes}, not "${words[command.maxPositionals]}"`);
}

function withHint(error: unknown, command: CommandSpec, start: string, words: readonly string[]): unknown {
  if (!(error instanceof RqError) || error.code !== 'USAGE') return error;
  const example = TAKES_COMMAND.get(command.name);
  const hint =
    example !== undefined && words.length > 0
      ? `: put -- before a command with options of its own: ${start} ${example} -- python train.py --epochs 10`
      : `; rq help ${command.name} says more`;
  return new RqError('USAGE', `${error.message}${hint}`, { cause: error, facts: { ...error.facts } });
}

import { RqError } from '../../job/errors.ts';
import type { OptionValues } from './command-call.ts';
import { nameCommand } from './command-name.ts';
import type { CommandSpec } from './command-spec.ts';
import { ALL_OPTIONS, type Command, findCommand, optionsOf } from './command-table.ts';
import { InvalidArguments } from './misuse.ts';
import { type ClassifiedArguments, classifyArguments } from './option-spelling.ts';
import { checkValues, type OptionValue, optionValues } from './option-values.ts';
import { refuseContradictions, withoutContradictions } from './output-forms.ts';
import { isOneOf, parseOptions, yargsArguments } from './parse-options.ts';
import { splitWords } from './shell-words.ts';

/** Commands whose arguments may be a program with options of its own, and what precedes the program. */
const RUNS_PROGRAM = new Map([
  ['submit', 'submit'],
  ['run', 'run'],
  ['touch', 'touch'],
  ['lock', 'lock read'],
]);

/** A command line that was read. Positionals from `literalFrom` on stood after `--`. */
export interface Arguments {
  readonly command: Command;
  readonly queue: string;
  readonly positionals: readonly string[];
  readonly literalFrom: number;
  readonly options: OptionValues;
}

type Values = ReadonlyMap<string, OptionValue>;

/**
 * Reads a command line, and the variables RQ_Q, RQ_QUEUE, RQ_OPTS and RQ_OPTIONS; the command line takes precedence.
 * Throws USAGE, or UnknownCommand or InvalidArguments for `explainMisuse`.
 */
export function readArguments(args: readonly string[], environment: NodeJS.ProcessEnv): Arguments {
  const sorted = classifyArguments(args, ALL_OPTIONS);
  const { command, queue, used } =
    answered(sorted) ?? nameCommand([...sorted.positionals, ...sorted.literals], environment);
  const literals = sorted.literals.slice(Math.max(0, used - sorted.positionals.length));
  const rest = { ...sorted, positionals: sorted.positionals.slice(used), literals };
  const positionals = [...rest.positionals, ...literals];
  const start = used === 2 ? `rq ${queue}` : 'rq';
  try {
    const values = readOptions(rest, command);
    refuseHelpOfProgram(command, positionals, values);
    const defaults = withoutContradictions(environmentOptions(command, environment), values);
    refuseContradictions(new Map([...defaults, ...values]));
    const options = optionValues(defaults, values);
    const { minPositionals: min, maxPositionals: max } = command;
    const isCountRight = positionals.length >= min && positionals.length <= max;
    if (!isCountRight && !options.flag('help')) throw new InvalidArguments(command, yargsArguments(rest), undefined);
    return { command, queue, positionals, literalFrom: rest.positionals.length, options };
  } catch (error) {
    throw withHint(error, command, start, positionals);
  }
}

/** `rq --help` and `rq submit --help` need no queue. */
function answered({ positionals, options }: ClassifiedArguments): ReturnType<typeof nameCommand> | undefined {
  const [first, second] = positionals;
  if (second !== undefined || !options.some((word) => word === '--help' || word === '--version')) return undefined;
  const command = findCommand(first ?? 'help');
  return command && { command, queue: '', used: 1 };
}

function readOptions(rest: ClassifiedArguments, command: Command): Values {
  const own = optionsOf(command);
  const foreign = rest.options.find((word) => !isOneOf(own, word));
  const { argv, error } = parseOptions(rest, own);
  const unknown = rest.unknown[0] ?? foreign;
  if (unknown !== undefined || error !== null) throw new InvalidArguments(command, yargsArguments(rest), unknown);
  return checkValues(argv, own);
}

/** The options of RQ_OPTS that the command has. */
function environmentOptions(command: Command, environment: NodeJS.ProcessEnv): Values {
  const source = environment['RQ_OPTS'] ? 'RQ_OPTS' : 'RQ_OPTIONS';
  const text = environment[source] ?? '';
  if (text === '') return new Map();
  const { options, unknown, positionals, literals } = classifyArguments(splitWords(text, source), ALL_OPTIONS);
  if (unknown[0] !== undefined) {
    throw new RqError('USAGE', `${source} contains the option ${unknown[0]}, which no command has; remove the option`);
  }
  const [word] = [...positionals, ...literals];
  if (word !== undefined) throw new RqError('USAGE', `${source} may contain only options, not the word "${word}"`);
  const own = optionsOf(command).filter(({ isOnLineOnly }) => isOnLineOnly !== true);
  const { argv, error } = parseOptions(
    { options: options.filter((each) => isOneOf(own, each)), unknown, positionals, literals },
    own,
  );
  if (error !== null) throw new RqError('USAGE', `cannot read ${source}: ${error.message}`);
  return checkValues(argv, own);
}

/** `submit df -h` does not ask for the help of rq: it must not exit with status 0 and submit nothing. */
function refuseHelpOfProgram(command: Command, positionals: readonly string[], values: Values): void {
  if (!RUNS_PROGRAM.has(command.name) || positionals.length === 0) return;
  for (const name of ['help', 'version']) {
    if (!values.has(name)) continue;
    throw new RqError('USAGE', `cannot tell whether --${name} is an option of rq or of the command line`);
  }
}

/** Adds what to do next to an error, so that a usage error names the remedy. */
function withHint(error: unknown, command: CommandSpec, start: string, positionals: readonly string[]): unknown {
  const example = RUNS_PROGRAM.get(command.name);
  const hint =
    example !== undefined && positionals.length > 0
      ? `: put "--" before a program that has its own options: ${start} ${example} -- python train.py --epochs 10`
      : `; see: rq help ${command.name}`;
  if (error instanceof InvalidArguments) error.hint = hint;
  if (!(error instanceof RqError) || error.code !== 'USAGE') return error;
  return new RqError('USAGE', `${error.message}${hint}`, { cause: error, facts: { ...error.facts } });
}

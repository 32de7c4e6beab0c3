import { RqError } from '../../job/errors.ts';
import type { OptionValues } from './command-call.ts';
import { nameMode } from './command-name.ts';
import type { ModeSpec } from './command-spec.ts';
import { optionValues, readStandingOptions, readWords, wordsWithoutOptions } from './options.ts';
import { splitWords } from './shell-words.ts';

/** Modes whose words may be a command with options of its own, and what stands before it. */
const TAKES_COMMAND = new Map([
  ['submit', 'submit'],
  ['touch', 'touch'],
  ['lock', 'lock read'],
]);

/** A command line, understood. Words from `literalFrom` on stood after `--`. */
export interface Arguments {
  readonly mode: ModeSpec;
  readonly queue: string;
  readonly words: readonly string[];
  readonly literalFrom: number;
  readonly options: OptionValues;
}

/**
 * Reads the words of a command line and the environment's RQ_Q, RQ_QUEUE, RQ_OPTS and RQ_OPTIONS; the command line
 * wins. Words are read twice, since the options that a mode has are known only once the mode is. Throws USAGE.
 */
export function readArguments(words: readonly string[], environment: NodeJS.ProcessEnv): Arguments {
  const { before, after } = wordsWithoutOptions(words);
  const { mode, queue, used } = nameMode([...before, ...after], environment);
  try {
    const read = readWords(words, mode);
    const modeWords = [...read.before, ...read.after].slice(used);
    const literalFrom = Math.max(0, read.before.length - used);
    const options = optionValues(standingOptions(mode, environment), read.values);
    refuseCommandHelp(mode, modeWords, read.values);
    if (!options.flag('help')) checkWordCount(mode, modeWords);
    return { mode, queue, words: modeWords, literalFrom, options };
  } catch (error) {
    throw withHint(error, mode, used === 2 ? `rq ${queue}` : 'rq', [...before, ...after].slice(used));
  }
}

function standingOptions(mode: ModeSpec, environment: NodeJS.ProcessEnv): ReturnType<typeof readStandingOptions> {
  const name = environment['RQ_OPTS'] ? 'RQ_OPTS' : 'RQ_OPTIONS';
  const text = environment[name] ?? '';
  return text === '' ? new Map() : readStandingOptions(splitWords(text, name), mode, name);
}

/** `submit df -h` asks for no help: who meant the command's option must not get status 0 and no job. */
function refuseCommandHelp(mode: ModeSpec, words: readonly string[], values: ReadonlyMap<string, unknown>): void {
  if (!TAKES_COMMAND.has(mode.name) || words.length === 0) return;
  for (const name of ['help', 'version']) {
    if (values.has(name))
      throw new RqError('USAGE', `--${name} after a command: is it an option of rq or of the command?`);
  }
}

function checkWordCount(mode: ModeSpec, words: readonly string[]): void {
  if (words.length < (mode.minWords ?? 0)) throw new RqError('USAGE', `${mode.name} needs ${mode.words}`);
  if (words.length <= mode.maxWords) return;
  const takes = mode.maxWords === 0 ? 'takes no words' : `takes only ${mode.words}`;
  throw new RqError('USAGE', `${mode.name} ${takes}, not "${words[mode.maxWords]}"`);
}

function withHint(error: unknown, mode: ModeSpec, start: string, words: readonly string[]): unknown {
  if (!(error instanceof RqError) || error.code !== 'USAGE') return error;
  const example = TAKES_COMMAND.get(mode.name);
  const hint =
    example !== undefined && words.length > 0
      ? `: put -- before a command with options of its own: ${start} ${example} -- python train.py --epochs 10`
      : `; rq help ${mode.name} says more`;
  return new RqError('USAGE', `${error.message}${hint}`, { cause: error, facts: { ...error.facts } });
}

import { RqError } from '../../../job/errors.ts';
import { type NamedCommand, nameCommand } from '../../parse/command-name.ts';
import { ALL_OPTIONS, COMMANDS } from '../../parse/command-table.ts';
import { UnknownCommand } from '../../parse/misuse.ts';
import { sortWords } from '../../parse/option-spelling.ts';
import {
  bare,
  type Candidate,
  type Completion,
  completeJids,
  completeSelection,
  DIRECTORIES,
  FILES,
  fitting,
  NOTHING,
  oneOf,
} from './candidates.ts';
import { completeOption } from './option-words.ts';
import { bashReplacement, readTypedLine, type TypedLine } from './typed-line.ts';

/** A request of a script: the shell, the line up to the cursor, and for bash the part of the line to replace. */
export interface Question {
  readonly shell: string;
  readonly line: string;
  readonly typed: string;
}

const ALTERNATIVES = /^[a-z]+(?:\|[a-z]+)+/;

/**
 * The answer to a script: which file names the shell adds, then one candidate per line, for zsh and fish with a tab and
 * its description. An error gives no candidates: its message would appear in the line that is being typed.
 */
export async function answer({ shell, line, typed }: Question, environment: NodeJS.ProcessEnv): Promise<string> {
  const read = readTypedLine(line, environment);
  const { files, candidates } = await completeLine(read, environment).catch(() => NOTHING);
  const lines = candidates.map(({ text, about }) =>
    shell === 'bash' ? bashReplacement(text, read.currentRaw, typed) : `${text}\t${about}`,
  );
  return [files, ...lines, ''].join('\n');
}

async function completeLine(line: TypedLine, environment: NodeJS.ProcessEnv): Promise<Completion> {
  const { positionals, literals } = sortWords(line.previous, ALL_OPTIONS);
  const words = [...positionals, ...literals];
  const named = namedCommand(words, environment);
  const option = line.previous.includes('--') ? undefined : await completeOption(line, named);
  if (option !== undefined) return option;
  return fitting(await completeWord(words, named, line.current, environment), line.current);
}

async function completeWord(
  words: readonly string[],
  named: NamedCommand | undefined,
  typed: string,
  environment: NodeJS.ProcessEnv,
): Promise<Completion> {
  if (named !== undefined) return await completePositional(named, words.length - named.used, typed);
  if (words.length === 1) return oneOf(commands(undefined));
  if (words.length > 1) return NOTHING;
  const isQueueNamed = Boolean(environment['RQ_Q'] || environment['RQ_QUEUE']);
  return { ...DIRECTORIES, candidates: [...(isQueueNamed ? commands(undefined) : []), ...commands('none')] };
}

/** The positional argument at an index, by the names in the usage line. */
async function completePositional({ command, queue }: NamedCommand, index: number, typed: string): Promise<Completion> {
  const { positionals, maxPositionals } = command;
  if (index >= maxPositionals) return NOTHING;
  const names = ALTERNATIVES.exec(positionals)?.[0].split('|');
  if (names !== undefined && index === 0) return oneOf(bare(names));
  if (positionals.includes('SELECTION')) return await completeSelection(queue, typed);
  if (positionals.includes('JID')) return oneOf(await completeJids(queue, typed));
  if (positionals === '[COMMAND]') return oneOf([...commands(undefined), ...commands('none')]);
  if (/COMMAND|FILE/.test(positionals)) return FILES;
  return positionals.includes('DIR') ? DIRECTORIES : NOTHING;
}

function commands(queue: 'none' | undefined): Candidate[] {
  return COMMANDS.filter((command) => command.queue === queue).map(({ name, summary }) => ({
    text: name,
    about: summary,
  }));
}

function namedCommand(words: readonly string[], environment: NodeJS.ProcessEnv): NamedCommand | undefined {
  try {
    return nameCommand(words, environment);
  } catch (error) {
    if (error instanceof UnknownCommand || (error instanceof RqError && error.code === 'USAGE')) return undefined;
    throw error;
  }
}

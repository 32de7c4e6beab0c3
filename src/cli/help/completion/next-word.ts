import { RqError } from '../../../job/errors.ts';
import { type NamedCommand, nameCommand } from '../../parse/command-name.ts';
import { ALL_OPTIONS, COMMANDS } from '../../parse/command-table.ts';
import { UnknownCommand } from '../../parse/misuse.ts';
import { classifyArguments } from '../../parse/option-spelling.ts';
import {
  type Candidate,
  type Completion,
  candidatesFrom,
  completeHosts,
  completeJids,
  completeLanes,
  completeSelection,
  completionOf,
  DIRECTORIES,
  FILES,
  NO_CANDIDATES,
  startingWith,
} from './candidates.ts';
import { completeOption } from './complete-option.ts';
import { bashReplacement, readTypedLine, type TypedLine } from './typed-line.ts';

/** A request of a script: the shell, the line up to the cursor, and for bash the part of the line to replace. */
export interface CompletionRequest {
  readonly shell: string;
  readonly line: string;
  readonly typed: string;
}

const ALTERNATIVES = /^[a-z]+(?:\|[a-z]+)+/;

/**
 * The answer to a script: which file names the shell adds, then one candidate per line, for zsh and fish with a tab and
 * its description. An error gives no candidates: its message would appear in the line that is being typed.
 */
export async function answer(
  { shell, line, typed }: CompletionRequest,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const read = readTypedLine(line, environment);
  const { files, candidates } = await completeLine(read, environment).catch(() => NO_CANDIDATES);
  const lines = candidates.map(({ text, about }) =>
    shell === 'bash' ? bashReplacement(text, read.currentRaw, typed) : `${text}\t${about}`,
  );
  return [files, ...lines, ''].join('\n');
}

async function completeLine(line: TypedLine, environment: NodeJS.ProcessEnv): Promise<Completion> {
  const { positionals, literals } = classifyArguments(line.previous, ALL_OPTIONS);
  const words = [...positionals, ...literals];
  const named = namedCommand(words, environment);
  const option = line.previous.includes('--') ? undefined : await completeOption(line, named);
  if (option !== undefined) return option;
  return startingWith(await completeWord(words, named, line.current, environment), line.current);
}

async function completeWord(
  words: readonly string[],
  named: NamedCommand | undefined,
  typed: string,
  environment: NodeJS.ProcessEnv,
): Promise<Completion> {
  if (named !== undefined) return await completePositional(named, words.length - named.used, typed);
  if (words.length === 1) return completionOf(commands(undefined));
  if (words.length > 1) return NO_CANDIDATES;
  const isQueueNamed = Boolean(environment['RQ_Q'] || environment['RQ_QUEUE']);
  return { ...DIRECTORIES, candidates: [...(isQueueNamed ? commands(undefined) : []), ...commands('none')] };
}

/** The positional argument at an index, by the names in the usage line. */
async function completePositional({ command, queue }: NamedCommand, index: number, typed: string): Promise<Completion> {
  const { positionals, maxPositionals } = command;
  if (index >= maxPositionals) return NO_CANDIDATES;
  const names = ALTERNATIVES.exec(positionals)?.[0].split('|');
  if (names !== undefined && index === 0) return completionOf(candidatesFrom(names));
  if (positionals.includes('SELECTION')) return await completeSelection(queue, typed);
  if (positionals.includes('JID')) return completionOf(await completeJids(queue, typed));
  if (positionals.includes('LANE')) return await completeLaneWord(queue, index, typed);
  if (positionals === 'HOST…') return completionOf(await completeHosts(queue));
  if (positionals === '[COMMAND]') return completionOf([...commands(undefined), ...commands('none')]);
  if (/COMMAND|FILE/.test(positionals)) return FILES;
  return positionals.includes('DIR') ? DIRECTORIES : NO_CANDIDATES;
}

async function completeLaneWord(queue: string, index: number, typed: string): Promise<Completion> {
  if (index === 0) return await completeLanes(queue, typed);
  return completionOf(candidatesFrom(['limit=', 'paused=true', 'paused=false']));
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

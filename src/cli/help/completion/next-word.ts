import { RqError } from '../../../job/errors.ts';
import { type NamedCommand, nameCommand } from '../../parse/command-name.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { COMMANDS } from '../../parse/command-table.ts';
import { bare, type Candidate, type Completion, DIRECTORIES, FILES, fitting, NOTHING, oneOf } from './candidates.ts';
import { completeOption, wordsWithoutOptions } from './option-words.ts';
import { completeJids, completeSelection } from './selection-words.ts';
import type { TypedLine } from './typed-line.ts';

const ALTERNATIVES = /^[a-z]+(?:\|[a-z]+)+/;

/** What may come next on a line. The queue is looked at only for tags and jids; throws as `openQueue` and `read`. */
export async function completeLine(line: TypedLine, environment: NodeJS.ProcessEnv): Promise<Completion> {
  // Not read by yargs-parser as a whole line is: to load it takes as long as all else.
  const words = wordsWithoutOptions(line.previous);
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
  if (words.length === 1) return oneOf(commands('named'));
  if (words.length > 1) return NOTHING;
  const isQueueNamed = Boolean(environment['RQ_Q'] || environment['RQ_QUEUE']);
  return { ...DIRECTORIES, candidates: [...(isQueueNamed ? commands('named') : []), ...commands('none')] };
}

/** The word at an index after a command, by what the table calls the words there. */
async function completePositional({ command, queue }: NamedCommand, index: number, typed: string): Promise<Completion> {
  if (index >= command.maxPositionals) return NOTHING;
  const names = ALTERNATIVES.exec(command.positionals)?.[0].split('|');
  if (names !== undefined && index === 0) return oneOf(bare(names));
  if (command.positionals.includes('SELECTION')) return await completeSelection(queue, typed);
  if (command.positionals.includes('JID')) return oneOf(await completeJids(queue, typed));
  if (command.positionals === '[COMMAND]') return oneOf([...commands('named'), ...commands('none')]);
  if (/COMMAND|FILE/.test(command.positionals)) return FILES;
  return command.positionals.includes('DIR') ? DIRECTORIES : NOTHING;
}

function commands(queue: CommandSpec['queue']): Candidate[] {
  return COMMANDS.filter((command) => command.queue === queue).map(({ name, summary }) => ({
    text: name,
    about: summary,
  }));
}

/** The command that the words name; undefined as long as they do not. */
function namedCommand(words: readonly string[], environment: NodeJS.ProcessEnv): NamedCommand | undefined {
  try {
    return nameCommand(words, environment);
  } catch (error) {
    if (error instanceof RqError && error.code === 'USAGE') return undefined;
    throw error;
  }
}

import { RqError } from '../../../job/errors.ts';
import { type NamedMode, nameMode } from '../../parse/command-name.ts';
import type { ModeSpec } from '../../parse/command-spec.ts';
import { MODES } from '../../parse/command-table.ts';
import { bare, type Candidate, type Completion, DIRECTORIES, FILES, fitting, NOTHING, oneOf } from './candidates.ts';
import { completeOption, wordsWithoutOptions } from './option-words.ts';
import { completeJids, completeSelection } from './selection-words.ts';
import type { TypedLine } from './typed-line.ts';

const ALTERNATIVES = /^[a-z]+(?:\|[a-z]+)+/;

/** What may come next on a line. The queue is looked at only for tags and jids; throws as `openQueue` and `read`. */
export async function completeLine(line: TypedLine, environment: NodeJS.ProcessEnv): Promise<Completion> {
  // Not read by yargs-parser as a whole line is: to load it takes as long as all else.
  const words = wordsWithoutOptions(line.previous);
  const named = namedMode(words, environment);
  const option = line.previous.includes('--') ? undefined : await completeOption(line, named);
  if (option !== undefined) return option;
  return fitting(await completeWord(words, named, line.current, environment), line.current);
}

async function completeWord(
  words: readonly string[],
  named: NamedMode | undefined,
  typed: string,
  environment: NodeJS.ProcessEnv,
): Promise<Completion> {
  if (named !== undefined) return await completeModeWord(named, words.length - named.used, typed);
  if (words.length === 1) return oneOf(modes('named'));
  if (words.length > 1) return NOTHING;
  const isQueueNamed = Boolean(environment['RQ_Q'] || environment['RQ_QUEUE']);
  return { ...DIRECTORIES, candidates: [...(isQueueNamed ? modes('named') : []), ...modes('none')] };
}

/** The word at an index after a mode, by what the table calls the words there. */
async function completeModeWord({ mode, queue }: NamedMode, index: number, typed: string): Promise<Completion> {
  if (index >= mode.maxWords) return NOTHING;
  const names = ALTERNATIVES.exec(mode.words)?.[0].split('|');
  if (names !== undefined && index === 0) return oneOf(bare(names));
  if (mode.words.includes('SELECTION')) return await completeSelection(queue, typed);
  if (mode.words.includes('JID')) return oneOf(await completeJids(queue, typed));
  if (mode.words === '[MODE]') return oneOf([...modes('named'), ...modes('none')]);
  if (/COMMAND|FILE/.test(mode.words)) return FILES;
  return mode.words.includes('DIR') ? DIRECTORIES : NOTHING;
}

function modes(queue: ModeSpec['queue']): Candidate[] {
  return MODES.filter((mode) => mode.queue === queue).map(({ name, summary }) => ({ text: name, about: summary }));
}

/** The mode that the words name; undefined as long as they do not. */
function namedMode(words: readonly string[], environment: NodeJS.ProcessEnv): NamedMode | undefined {
  try {
    return nameMode(words, environment);
  } catch (error) {
    if (error instanceof RqError && error.code === 'USAGE') return undefined;
    throw error;
  }
}

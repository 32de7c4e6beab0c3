import { COMMANDS, findCommand } from '../parse/command-table.ts';
import { versionText } from '../version.ts';
import { greeting, helpText } from './help.ts';

const QUESTIONS = new Set(['--help', '-h', '--version']);

/**
 * The answer to a call that only asks for help or the version, found without a parser or a database, so that it comes
 * as fast as Node starts; undefined for any other call. Throws USAGE for help about a command that there is not.
 */
export async function quickAnswer(words: readonly string[]): Promise<string | undefined> {
  if (words.length === 0) return greeting();
  const end = words.indexOf('--');
  const asked = end === -1 ? words : words.slice(0, end);
  const others = asked.filter((word) => !word.startsWith('-'));
  // Another option may have one of the words for its value, and a command a --help of its own: the parser has the say.
  if (asked.some((word) => word.startsWith('-') && !QUESTIONS.has(word)) || others.length > 2) return undefined;
  const [first, second] = others;
  const command = findCommand(second) ?? findCommand(first);
  if (second !== undefined && findCommand(second) === undefined && first !== 'help') return undefined;
  if (asked.includes('--version')) return versionText();
  if (asked.some((word) => word === '--help' || word === '-h')) return helpText(COMMANDS, command?.name);
  if (words[0] === 'help' && words.length <= 2) return helpText(COMMANDS, words[1]);
  return words[0] === 'version' && words.length === 1 ? versionText() : undefined;
}

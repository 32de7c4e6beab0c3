import { greeting, helpText } from './help.ts';
import type { ModeSpec } from './mode-spec.ts';
import { findMode, MODES } from './modes.ts';
import { versionText } from './version.ts';

/**
 * The answer to a call that only asks for help or the version, found without a parser or a database, so that it comes
 * as fast as Node starts; undefined for any other call. Throws USAGE for help about a mode that there is not.
 */
export async function quickAnswer(words: readonly string[]): Promise<string | undefined> {
  if (words.length === 0) return greeting();
  const end = words.indexOf('--');
  const asked = end === -1 ? words : words.slice(0, end);
  const others = asked.filter((word) => !word.startsWith('-'));
  const mode = askedMode(others);
  // A command after `submit` may have a --help of its own; the parser has the say there.
  if (mode?.name === 'submit' && others.length > others.findIndex((word) => findMode(word) === mode) + 1)
    return undefined;
  if (asked.includes('--version')) return versionText();
  if (asked.some((word) => word === '--help' || word === '-h')) return helpText(MODES, mode?.name);
  if (words[0] === 'help' && words.length <= 2) return helpText(MODES, words[1]);
  return words[0] === 'version' && words.length === 1 ? versionText() : undefined;
}

/** The mode that a request for help is about; the words may still hold values of options. */
function askedMode([first, second, ...rest]: readonly string[]): ModeSpec | undefined {
  return findMode(second) ?? findMode(first) ?? rest.map((word) => findMode(word)).find((mode) => mode !== undefined);
}

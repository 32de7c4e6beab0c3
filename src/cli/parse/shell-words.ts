import { RqError } from '../../job/errors.ts';

/** Characters that mean nothing to bash, wherever they stand in a word. */
const HARMLESS = /^[A-Za-z0-9_/.,:=@+-]+$/;

/** Words that bash takes for its own grammar when they stand first without quotes (bash(1), RESERVED WORDS). */
const RESERVED =
  /^(?:if|then|elif|else|fi|time|for|in|until|while|do|done|case|esac|coproc|select|function|!|\{|\}|\[\[|\]\])$/;

/** One line of bash that runs the first word as a program with exactly the other words as its arguments. */
export function quoteCommand(words: readonly string[]): string {
  return words
    .map((word, index) => {
      // A first word with "=" would be an assignment.
      const isGrammar = index === 0 && (word.includes('=') || RESERVED.test(word));
      return isGrammar ? singleQuoted(word) : quoteWord(word);
    })
    .join(' ');
}

/** One word for bash that stands for exactly this text. */
export function quoteWord(word: string): string {
  return HARMLESS.test(word) ? word : singleQuoted(word);
}

function singleQuoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Splits text into words as a shell does: blanks between them, with quotes and backslashes, no expansions. Throws
 * USAGE for a quote without its end; `source` says where the text is from.
 */
export function splitWords(text: string, source: string): string[] {
  const words: string[] = [];
  const part = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/sy;
  let word: string | undefined;
  while (part.lastIndex < text.length) {
    const start = part.lastIndex;
    const match = part.exec(text);
    if (match === null) {
      throw new RqError('USAGE', `cannot read ${source}: the quote in ${JSON.stringify(text.slice(start))} has no end`);
    }
    const [all, single, double, escaped, bare] = match;
    if (/^\s/.test(all)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + (single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? bare ?? '');
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

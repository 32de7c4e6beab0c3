import { RqError } from '../../job/errors.ts';

/** Characters that have no special meaning in bash anywhere in a word. */
const HARMLESS = /^[A-Za-z0-9_/.,:=@+-]+$/;

/** Reserved words of bash, which must be quoted at the start of a command (bash(1), RESERVED WORDS). */
const RESERVED =
  /^(?:if|then|elif|else|fi|time|for|in|until|while|do|done|case|esac|coproc|select|function|!|\{|\}|\[\[|\]\])$/;

/** Quotes a program and its arguments as one command line for bash. */
export function quoteCommand(words: readonly string[]): string {
  return words
    .map((word, index) => {
      // A first word with "=" would be an assignment.
      const isGrammar = index === 0 && (word.includes('=') || RESERVED.test(word));
      return isGrammar ? singleQuoted(word) : quoteWord(word);
    })
    .join(' ');
}

/** Quotes a text as one word for bash. */
export function quoteWord(word: string): string {
  return HARMLESS.test(word) ? word : singleQuoted(word);
}

/** Whether a text consists of characters that have no special meaning, so that it means itself also in quotes. */
export function isPlainWord(text: string): boolean {
  return HARMLESS.test(text);
}

/** Quotes a text that becomes a part of a command line, so that the shell does not read it as its own syntax. */
export function quoteValue(text: string): string {
  // An assignment, an item or the range of a brace expansion, or a reserved word.
  return /[=,]|\.\./.test(text) || RESERVED.test(text) ? singleQuoted(text) : quoteWord(text);
}

/** A text in single quotes. */
export function singleQuoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Splits text into words as a shell does, with quotes and backslashes but without expansions. Throws USAGE for an
 * unclosed quote; `source` names the origin of the text.
 */
export function splitWords(text: string, source: string): string[] {
  const words: string[] = [];
  const part = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/sy;
  let word: string | undefined;
  while (part.lastIndex < text.length) {
    const start = part.lastIndex;
    const match = part.exec(text);
    if (match === null) {
      throw new RqError(
        'USAGE',
        `cannot read ${source}: the quote in ${JSON.stringify(text.slice(start))} is not closed`,
      );
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

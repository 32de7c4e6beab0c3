/** A part of a text: literal text, or the place of a value. */
export type Part = string | Place;

export interface Place {
  readonly name: string;
  /**
   * Quotes of the value would not work in a shell command line: the place is in quotes, in a comment, or where rq cannot
   * tell.
   */
  readonly isQuoted: boolean;
  /** Without quotes, the shell would join the value to `$name` before it, or to a redirection after it. */
  readonly isJoined: boolean;
}

/** `{name}`. `${name}` is the shell's. */
const PLACE = /(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)\}/g;
/** The text before a value that would become a part of the name of a variable. */
const JOINED = /\$\w*$/;
/**
 * A piece of a shell command line in which quotes of a value work, up to the next quote: ordinary characters, `$name`,
 * `${name}` without quotes in it, `$(`, and `<<<`. It contains no comment, here-document, arithmetic or backquote.
 */
const PLAIN = /(?:[^\\'"`#$<(]|\$(?!['"([{])|\$\{[^{}'"`\\$]*\}|\$?\((?!\()|(?<![\s;|&()]|^)#|<<<|<(?!<))+/y;
/** An escaped character, or text in quotes without a substitution in it. */
const QUOTED = /\\.|'[^']*'|\$?"(?:[^"\\$`]|\\.|\$(?![({[])|\$\{[^{}'"`\\$]*\})*"|\$'(?:[^'\\]|\\.)*'/sy;

/** The literal text and the places of values in a text. `{name}` of other names is literal. */
export function partsOf(text: string, names: ReadonlySet<string>): Part[] {
  const plain = plainRanges(text);
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACE)) {
    const [place, name = ''] = match;
    if (!names.has(name)) continue;
    if (match.index > end) parts.push(text.slice(end, match.index));
    const start = match.index;
    end = start + place.length;
    const isQuoted = !plain.some(([from, to]) => from <= start && end <= to);
    const isJoined = JOINED.test(text.slice(0, start)) || (!isQuoted && /[<>]/.test(text.charAt(end)));
    parts.push({ name, isQuoted, isJoined });
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

/** The ranges of a shell command line in which quotes of a value work. They end where bash syntax becomes difficult. */
function plainRanges(text: string): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  for (let at = 0; at < text.length; ) {
    const start = at;
    at = endOf(PLAIN, text, at);
    if (at > start) ranges.push([start, at]);
    const next = endOf(QUOTED, text, at);
    if (next === at) break;
    at = next;
  }
  return ranges;
}

function endOf(form: RegExp, text: string, start: number): number {
  form.lastIndex = start;
  return start + (form.exec(text)?.[0].length ?? 0);
}

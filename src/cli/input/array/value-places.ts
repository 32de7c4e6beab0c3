/** A part of a text: literal text, or the place of a value. */
export type Part = string | Place;

export interface Place {
  readonly name: string;
  /**
   * In a shell command line: `bare` where quotes of the value work, `quotes` in quotes, `other` in a comment, in a
   * here-document, or where rq cannot tell.
   */
  readonly context: 'bare' | 'quotes' | 'other';
  /** Without quotes, the shell would join the value to `$name` before it, or to a redirection after it. */
  readonly isJoined: boolean;
}

/** `{name}`. The shell reads `${name}` and `\{name}` itself. */
const PLACE = /(?<![$\\])\{([A-Za-z_][A-Za-z0-9_]*)\}/g;
/** The text before a value that would become a part of the name of a variable. */
const JOINED = /\$\w*$/;
/**
 * A piece of a shell command line in which quotes of a value work, up to the next quote: ordinary characters, `$name`,
 * `${name}` without quotes in it, `$(`, and `<<<`. It contains no comment, here-document, arithmetic or backquote.
 */
const BARE = /(?:[^\\'"`#$<(]|\$(?!['"([{])|\$\{[^{}'"`\\$]*\}|\$?\((?!\()|(?<![\s;|&()]|^)#|<<<|<(?!<))+/y;
/** An escaped character, or text in quotes without a substitution in it. */
const QUOTED = /\\.|'[^']*'|\$?"(?:[^"\\$`]|\\.|\$(?![({[])|\$\{[^{}'"`\\$]*\})*"|\$'(?:[^'\\]|\\.)*'/sy;

/** The literal text and the places of values in a text. `{name}` of other names is literal. */
export function partsOf(text: string, names: ReadonlySet<string>): Part[] {
  const ranges = rangesOf(text);
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACE)) {
    const [place, name = ''] = match;
    if (!names.has(name)) continue;
    if (match.index > end) parts.push(text.slice(end, match.index));
    const start = match.index;
    end = start + place.length;
    const context = ranges.find((range) => range.from <= start && end <= range.to)?.context ?? 'other';
    const isJoined = JOINED.test(text.slice(0, start)) || (context === 'bare' && /[<>]/.test(text.charAt(end)));
    parts.push({ name, context, isJoined });
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly context: 'bare' | 'quotes';
}

/** The ranges of a shell command line inside and outside of quotes. They end where bash syntax becomes difficult. */
function rangesOf(text: string): Range[] {
  const ranges: Range[] = [];
  for (let from = 0; from < text.length; ) {
    const bareTo = endOf(BARE, text, from);
    const quotedTo = endOf(QUOTED, text, bareTo);
    ranges.push({ from, to: bareTo, context: 'bare' }, { from: bareTo, to: quotedTo, context: 'quotes' });
    if (quotedTo === bareTo) break;
    from = quotedTo;
  }
  return ranges;
}

function endOf(form: RegExp, text: string, start: number): number {
  form.lastIndex = start;
  return start + (form.exec(text)?.[0].length ?? 0);
}

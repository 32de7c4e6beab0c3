/** Wide and fullwidth characters (UAX #11), and emoji, at the start of a grapheme; or the emoji variation selector. */
const WIDE =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u3247\u3250-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]|\ufe0f/u;
/** Graphemes without a base character. */
const INVISIBLE = /^[\p{Default_Ignorable_Code_Point}\p{Mark}]*$/u;
/** Characters that can join others to one grapheme. Without them, each code point is a grapheme. */
const JOINING =
  /[\p{Mark}\p{Default_Ignorable_Code_Point}\p{Emoji_Modifier}\p{Regional_Indicator}\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]/u;
/** Text of characters that take one column each. */
const NARROW = /^[ -~…]*$/;
const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' });

const ELLIPSIS = '…';

/** The number of columns that a text without control characters takes on a terminal. */
export function textWidth(text: string): number {
  if (NARROW.test(text)) return text.length;
  let width = 0;
  for (const grapheme of graphemes(text)) width += graphemeWidth(grapheme);
  return width;
}

/** The text, or the beginning of it and an ellipsis if it takes more columns than these. */
export function cutText(text: string, columns = Number.POSITIVE_INFINITY): string {
  if (columns === Number.POSITIVE_INFINITY) return text;
  if (NARROW.test(text)) return text.length <= columns ? text : text.slice(0, columns - 1) + ELLIPSIS;
  let width = 0;
  let length = 0;
  let kept = 0;
  for (const grapheme of graphemes(text)) {
    width += graphemeWidth(grapheme);
    if (width > columns) return text.slice(0, kept) + ELLIPSIS;
    length += grapheme.length;
    if (width < columns) kept = length;
  }
  return text;
}

/** The segmenter of Intl takes a microsecond for each grapheme. */
function* graphemes(text: string): Generator<string> {
  if (!JOINING.test(text)) yield* text;
  else for (const { segment } of SEGMENTER.segment(text)) yield segment;
}

function graphemeWidth(grapheme: string): number {
  if (NARROW.test(grapheme)) return 1;
  if (WIDE.test(grapheme)) return 2;
  return INVISIBLE.test(grapheme) ? 0 : 1;
}

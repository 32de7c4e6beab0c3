/**
 * Characters that a terminal obeys instead of showing them: controls (C0, DEL, C1), separators of lines, and marks that
 * change the direction of text, so that it reads as something else (Unicode 16, 23.2 and UAX #9).
 */
const OBEYED = '\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069';
const OBEYED_IN_LINES = new RegExp(`[\\u0000-\\u001f${OBEYED}]`, 'g');
/** The same, as far as JSON does not escape it already, and what YAML does not print: byte order marks, non-characters. */
const OBEYED_IN_JSON = new RegExp(`[${OBEYED}\\ufeff\\ufffe\\uffff]`, 'g');

/** The text on one line that a terminal shows as it is: controls become escapes such as \n and \u001b. */
export function printableLine(text: string): string {
  return text.replace(OBEYED_IN_LINES, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    return escaped.length > 1 ? escaped : unicodeEscape(character);
  });
}

/** A value as JSON that a terminal shows as it is; what it means is the same. */
export function jsonText(value: unknown, indent?: number): string {
  return (JSON.stringify(value, undefined, indent) ?? 'null').replace(OBEYED_IN_JSON, unicodeEscape);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

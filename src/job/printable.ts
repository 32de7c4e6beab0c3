/**
 * Characters that a terminal interprets instead of showing: control characters (C0, DEL, C1), line separators, and marks
 * that change the direction of text and so its apparent meaning (Unicode 16, 23.2 and UAX #9).
 */
const CONTROLS = '\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069';
const CONTROLS_IN_LINES = new RegExp(`[\\u0000-\\u001f${CONTROLS}]`, 'g');
/** The ones that JSON does not escape, and characters that YAML does not print: byte order marks and non-characters. */
const CONTROLS_IN_JSON = new RegExp(`[${CONTROLS}\\ufeff\\ufffe\\uffff]`, 'g');

/** The text on one line that is safe to print on a terminal: control characters become escapes such as \n and \u001b. */
export function printableLine(text: string): string {
  return text.replace(CONTROLS_IN_LINES, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    return escaped.length > 1 ? escaped : unicodeEscape(character);
  });
}

/** A value as JSON that is safe to print on a terminal. */
export function jsonText(value: unknown, indent?: number): string {
  return (JSON.stringify(value, undefined, indent) ?? 'null').replace(CONTROLS_IN_JSON, unicodeEscape);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The value of JSON text; undefined for other text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

import { jsonText } from '../job/printable.ts';

/** What a printed value may be at its leaves. */
export type Scalar = string | number | boolean | null;

/**
 * Text that every YAML 1.1 and 1.2 reader takes as that text without quotes: it starts like a word or a path (so it
 * is no number, date, sign, tag or indicator) and has neither ':' nor '#', quotes nor brackets.
 */
const PLAIN = /^(?:\.{0,2}\/)?[A-Za-z_][\w/.,+=@%^~$()&|<>;*?!-]*(?: [\w/.,+=@%^~$()&|<>;*?!-]+)*$/;

/**
 * Words that one reader or another takes for a boolean, null or number (yaml.org/type/bool.html, in any case; `E5` is
 * a float to the `yaml` library's 1.1).
 */
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|nil|nan|inf|e[-+]?[\d_]*)$/i;

/** Printable ASCII without '"' and '\': stands between double quotes as it is. */
const SIMPLE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Half a character: there are no bytes for it. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** The text between double quotes on one line, with escapes that JSON and both versions of YAML read alike. */
export function quotedText(text: string): string {
  if (SIMPLE.test(text)) return `"${text}"`;
  return jsonText(text.replace(LONE_SURROGATE, '\ufffd'));
}

/** One scalar as YAML on one line; text is quoted unless no reader can take it for anything else. */
export function scalarText(value: Scalar): string {
  if (typeof value === 'string') return isPlain(value) ? value : quotedText(value);
  if (typeof value === 'number') return numberText(value);
  return String(value);
}

/** True for text that stands for itself without quotes. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text) && !RESERVED.test(text);
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  const text = String(value);
  // YAML 1.1 takes 1e-7 for text: its floats need a point.
  return text.includes('e') && !text.includes('.') ? text.replace('e', '.0e') : text;
}

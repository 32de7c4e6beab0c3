import type { Variables } from '../job/columns/variables.ts';
import { jsonText } from '../job/printable.ts';

/** A value without members. */
export type Scalar = string | number | boolean | null;

/**
 * Text that every YAML 1.1 and 1.2 parser reads as itself without quotes. It starts like a word or a path, so it is not a
 * number, date, sign, tag or indicator. It contains no ':', '#', quotes or brackets.
 */
const PLAIN = /^(?:\.{0,2}\/)?[A-Za-z_][\w/.,+=@%^~$()&|<>;*?!-]*(?: [\w/.,+=@%^~$()&|<>;*?!-]+)*$/;

/**
 * Words that some parsers read as a boolean, null or number (yaml.org/type/bool.html, in any case). `E5` is a float in
 * the YAML 1.1 mode of the `yaml` library.
 */
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|nil|nan|inf|e[-+]?[\d_]*)$/i;

/** Printable ASCII without '"' and '\': needs no escapes between double quotes. */
const SIMPLE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A surrogate without its pair has no encoding in UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** The text between double quotes on one line, with escapes that are the same in JSON, YAML 1.1 and YAML 1.2. */
export function quotedText(text: string): string {
  if (SIMPLE.test(text)) return `"${text}"`;
  return jsonText(text.replace(LONE_SURROGATE, '\ufffd'));
}

/** A scalar as YAML on one line. Text is quoted unless every parser reads it as that text. */
export function scalarText(value: Scalar): string {
  if (typeof value === 'string') return isPlain(value) ? value : quotedText(value);
  if (typeof value === 'number') return numberText(value);
  return String(value);
}

/** A map of text on one line: JSON with a space after each colon and comma, which every YAML parser reads. */
export function mapText(map: Variables): string {
  return `{${Object.entries(map)
    .map(([key, value]) => `${quotedText(key)}: ${quotedText(value)}`)
    .join(', ')}}`;
}

/** Whether text needs no quotes. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text) && !RESERVED.test(text);
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  const text = String(value);
  // YAML 1.1 reads 1e-7 as text, because its floats need a point.
  return text.includes('e') && !text.includes('.') ? text.replace('e', '.0e') : text;
}

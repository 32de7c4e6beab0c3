import { RqError } from '../errors.ts';
import type { JidRange } from '../selection.ts';

const JIDS = /^(\d+)(?:-(\d+))?$/;

/** Parses a jid. Throws USAGE. */
export function parseJid(word: string): number {
  const jid = Number(word);
  if (/^\d+$/.test(word) && jid > 0 && Number.isSafeInteger(jid)) return jid;
  throw new RqError('USAGE', `"${word}" is not a jid: give an integer of at least 1`);
}

/** Parses `42` or `10-20`; undefined for other text. Throws USAGE. */
export function parseRange(text: string): JidRange | undefined {
  const match = JIDS.exec(text);
  if (match?.[1] === undefined) return undefined;
  const first = parseJid(match[1]);
  const last = match[2] === undefined ? first : parseJid(match[2]);
  if (first <= last) return { first, last };
  throw new RqError('USAGE', `the range ${text} is reversed: give ${last}-${first}`);
}

import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { RqError } from '../../job/errors.ts';

/**
 * Refuses words that are not valid UTF-8, which Node has already turned into U+FFFD: a job must get exactly what was
 * typed. The kernel keeps the bytes (proc(5), cmdline). Throws USAGE.
 */
export function refuseInvalidBytes(words: readonly string[], path = '/proc/self/cmdline'): void {
  if (!words.some((word) => word.includes('\ufffd'))) return;
  if (isUtf8(readFileSync(path))) return;
  const word = words.find((each) => each.includes('\ufffd')) ?? '';
  throw new RqError('USAGE', `the word "${word}" is not valid UTF-8: rq takes UTF-8 only`);
}

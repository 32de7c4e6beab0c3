import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { RqError } from '../../job/errors.ts';

/**
 * Refuses arguments that are not valid UTF-8. Node replaces invalid bytes by U+FFFD, but a job must get the arguments
 * unchanged. The kernel keeps the original bytes (proc(5), cmdline). Throws USAGE.
 */
export function refuseInvalidBytes(args: readonly string[], path = '/proc/self/cmdline'): void {
  if (!args.some((word) => word.includes('\ufffd'))) return;
  if (isUtf8(readFileSync(path))) return;
  const word = args.find((each) => each.includes('\ufffd')) ?? '';
  throw new RqError('USAGE', `the argument "${word}" is not valid UTF-8; convert it to UTF-8`);
}

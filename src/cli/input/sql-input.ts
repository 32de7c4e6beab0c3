import { RqError } from '../../job/errors.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { readAll } from './standard-input.ts';

/** Returns the positionals of a command that takes SQL; without any, or for `-`, the text on stdin. Throws USAGE. */
export async function readSqlTerms({
  command,
  positionals,
  input,
  literalFrom,
}: CommandCall): Promise<readonly string[]> {
  const isDash = positionals.length === 1 && positionals[0] === '-' && literalFrom > 0;
  if (positionals.length > 0 && !isDash) return positionals;
  if (input.kind === 'terminal' || input.kind === 'none') {
    const message = `cannot ${command}: no SQL specified; give SQL as arguments or on stdin; see rq help ${command}`;
    throw new RqError('USAGE', message);
  }
  const bytes = await readAll(input);
  try {
    return [new TextDecoder('utf-8', { fatal: true }).decode(bytes)];
  } catch (error) {
    throw new RqError('INVALID_INPUT', `cannot ${command}: stdin is not UTF-8; convert it with iconv`, {
      cause: error,
    });
  }
}

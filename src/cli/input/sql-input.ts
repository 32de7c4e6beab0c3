import { RqError } from '../../job/errors.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { readAll } from './standard-input.ts';

/** The words of a command that takes SQL; where there are none, or only `-`, what stdin holds. Throws USAGE. */
export async function readSqlWords(call: CommandCall): Promise<readonly string[]> {
  const { positionals, input, literalFrom } = call;
  const dash = positionals.length === 1 && positionals[0] === '-' && literalFrom > 0;
  if (positionals.length > 0 && !dash) return positionals;
  if (input.kind === 'terminal' || input.kind === 'none') {
    throw new RqError(
      'USAGE',
      `${call.command} what? Give it as words, or pipe it to stdin; rq help ${call.command} says more`,
    );
  }
  const bytes = await readAll(input);
  try {
    return [new TextDecoder('utf-8', { fatal: true }).decode(bytes)];
  } catch (error) {
    throw new RqError('INVALID_INPUT', `cannot ${call.command}: what stdin holds is not UTF-8`, { cause: error });
  }
}

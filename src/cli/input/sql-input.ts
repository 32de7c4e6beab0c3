import { RqError } from '../../job/errors.ts';
import type { ModeCall } from '../parse/command-call.ts';
import { readAll } from './standard-input.ts';

/** The words of a mode that takes SQL; where there are none, or only `-`, what stdin holds. Throws USAGE. */
export async function wordsOrInput(call: ModeCall): Promise<readonly string[]> {
  const { words, input, literalFrom } = call;
  const dash = words.length === 1 && words[0] === '-' && literalFrom > 0;
  if (words.length > 0 && !dash) return words;
  if (input.kind === 'terminal' || input.kind === 'none') {
    throw new RqError(
      'USAGE',
      `${call.mode} what? Give it as words, or pipe it to stdin; rq help ${call.mode} says more`,
    );
  }
  const bytes = await readAll(input);
  try {
    return [new TextDecoder('utf-8', { fatal: true }).decode(bytes)];
  } catch (error) {
    throw new RqError('INVALID_INPUT', `cannot ${call.mode}: what stdin holds is not UTF-8`, { cause: error });
  }
}

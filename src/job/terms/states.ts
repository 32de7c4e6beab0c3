import { RqError } from '../errors.ts';
import { JOB_STATES, type JobState } from '../states.ts';
import { nearestHint, uniquePrefix } from './names.ts';

/** Parses a state or a unique prefix of one, which is a part of the selector `word`. Throws USAGE. */
export function parseState(part: string, word: string): JobState {
  const state = uniquePrefix(part.toLowerCase(), JOB_STATES, 'state');
  if (state !== undefined) return state;
  const shown = part === word ? `"${word}"` : `"${part}" in "${word}"`;
  const hint = nearestHint(part.toLowerCase(), [...JOB_STATES, 'failed', 'all']);
  const advice = `jids (42, 10-20, 1,3), states (${JOB_STATES.join(' ')}), failed, key=value, or all`;
  throw new RqError('USAGE', `${shown} is not a valid selection${hint === '' ? ': give' : `${hint} Give`} ${advice}`);
}

import { closest, distance } from 'fastest-levenshtein';
import { RqError } from '../job/errors.ts';
import type { ModeSpec } from './mode-spec.ts';

/** The error for a word that is no mode's name, with the nearest one. */
export function unknownMode(word: string, modes: readonly ModeSpec[]): RqError {
  const names = modes.map(({ name }) => name);
  const nearest = closest(word, names);
  const hint = distance(word, nearest) <= Math.max(2, word.length / 3) ? `, did you mean ${nearest}?` : '';
  return new RqError('USAGE', `there is no mode "${word}"${hint}; rq help lists the modes`);
}

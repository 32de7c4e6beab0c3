import { RqError } from '../../job/errors.ts';
import type { ModeSpec } from './command-spec.ts';
import { nearest, nearestHint } from './suggestions.ts';

/** The error for a word that is no mode's name, with the nearest one. */
export function unknownMode(word: string, modes: readonly ModeSpec[]): RqError {
  const hint = nearestHint(word, namesOf(modes));
  return new RqError('USAGE', `there is no mode "${word}"${hint}; rq help lists the modes`);
}

/** The error for a first word that is like a mode's name, where no queue is named; undefined if it is like none. */
export function mistypedMode(word: string, modes: readonly ModeSpec[]): RqError | undefined {
  const meant = modes.find(({ name }) => name === nearest(word, namesOf(modes)));
  if (meant === undefined) return undefined;
  if (meant.queue === 'none') return unknownMode(word, modes);
  const advice = `It needs a queue: type rq QUEUE ${meant.name}, or set RQ_Q to the queue's path`;
  return new RqError('USAGE', `there is no mode "${word}", did you mean ${meant.name}? ${advice}`);
}

function namesOf(modes: readonly ModeSpec[]): string[] {
  return modes.map(({ name }) => name);
}

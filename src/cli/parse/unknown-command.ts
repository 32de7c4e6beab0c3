import { RqError } from '../../job/errors.ts';
import type { CommandSpec } from './command-spec.ts';
import { nearest, nearestHint } from './suggestions.ts';

/** The error for a word that is no command's name, with the nearest one. */
export function unknownCommand(word: string, commands: readonly CommandSpec[]): RqError {
  const hint = nearestHint(word, namesOf(commands));
  return new RqError('USAGE', `there is no command "${word}"${hint}; rq help lists the commands`);
}

/** The error for a first word that is like a command's name, where no queue is named; undefined if it is like none. */
export function mistypedCommand(word: string, commands: readonly CommandSpec[]): RqError | undefined {
  const meant = commands.find(({ name }) => name === nearest(word, namesOf(commands)));
  if (meant === undefined) return undefined;
  if (meant.queue === 'none') return unknownCommand(word, commands);
  const advice = `It needs a queue: type rq QUEUE ${meant.name}, or set RQ_Q to the queue's path`;
  return new RqError('USAGE', `there is no command "${word}", did you mean ${meant.name}? ${advice}`);
}

function namesOf(commands: readonly CommandSpec[]): string[] {
  return commands.map(({ name }) => name);
}

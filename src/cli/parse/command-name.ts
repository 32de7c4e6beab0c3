import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../../job/errors.ts';
import type { CommandSpec } from './command-spec.ts';
import { COMMANDS, findCommand } from './command-table.ts';
import { nearest } from './suggestions.ts';
import { mistypedCommand, unknownCommand } from './unknown-command.ts';

/** Which command, on which queue, and how many of the words said so. */
export interface NamedCommand {
  readonly command: CommandSpec;
  readonly queue: string;
  readonly used: number;
}

/**
 * Finds command and queue in words that are no options: `QUEUE COMMAND …`, or `COMMAND …` where RQ_Q or RQ_QUEUE names the
 * queue. A first word that is both a command and a queue's directory is the queue if a command follows. Throws USAGE.
 */
export function nameCommand(words: readonly string[], environment: NodeJS.ProcessEnv): NamedCommand {
  const [first = '', second] = words;
  const firstCommand = findCommand(first);
  const secondCommand = findCommand(second);
  const standing = environment['RQ_Q'] || environment['RQ_QUEUE'] || '';
  const needsNone = firstCommand?.queue === 'none';
  if (secondCommand !== undefined && (firstCommand === undefined || (first !== 'help' && isQueue(first)))) {
    return { command: secondCommand, queue: queuePath(first), used: 2 };
  }
  if (firstCommand !== undefined && needsNone) return { command: firstCommand, queue: '', used: 1 };
  if (firstCommand !== undefined && standing !== '') return { command: firstCommand, queue: standing, used: 1 };
  if (secondCommand !== undefined && firstCommand !== undefined)
    return { command: secondCommand, queue: first, used: 2 };
  throw notNamed(first, second, standing);
}

function queuePath(word: string): string {
  if (word !== '') return word;
  throw new RqError('USAGE', 'the name of the queue is empty: give its path, as in rq ./q list');
}

function isQueue(path: string): boolean {
  return existsSync(join(path, 'db'));
}

function notNamed(first: string, second: string | undefined, standing: string): RqError {
  const command = findCommand(first);
  // A short form is more likely the name of a queue when more follows.
  if (command !== undefined && (command.name === first || second === undefined) && !isQueue(first)) {
    const { name } = command;
    return new RqError('USAGE', `${name} needs a queue: type rq QUEUE ${name}, or set RQ_Q to the queue's path`);
  }
  const isLikeMode =
    second !== undefined &&
    nearest(
      second,
      COMMANDS.map(({ name }) => name),
    ) !== undefined;
  const mistyped = standing === '' && !isLikeMode && !existsSync(first) ? mistypedCommand(first, COMMANDS) : undefined;
  if (mistyped !== undefined) return mistyped;
  if (second !== undefined) return unknownCommand(standing !== '' && !isQueue(first) ? first : second, COMMANDS);
  if (standing !== '') return unknownCommand(first, COMMANDS);
  return new RqError('USAGE', `what to do with ${first}? Type rq ${first} COMMAND; rq help lists the commands`);
}

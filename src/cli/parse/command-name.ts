import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../../job/errors.ts';
import { type Command, findCommand } from './command-table.ts';
import { UnknownCommand } from './misuse.ts';

/** The command, its queue, and the number of positionals that named them. */
export interface NamedCommand {
  readonly command: Command;
  readonly queue: string;
  readonly used: number;
}

/**
 * Finds the command and the queue in the positionals: `QUEUE COMMAND …`, or `COMMAND …` if RQ_Q or RQ_QUEUE names the
 * queue. A first positional that is both a command and the directory of a queue is the queue if a command follows.
 * Throws USAGE, or UnknownCommand.
 */
export function nameCommand(positionals: readonly string[], environment: NodeJS.ProcessEnv): NamedCommand {
  const [first = '', second] = positionals;
  const firstCommand = findCommand(first);
  const secondCommand = findCommand(second);
  const defaultQueue = environment['RQ_Q'] || environment['RQ_QUEUE'] || '';
  if (secondCommand !== undefined && (firstCommand === undefined || (first !== 'help' && isQueue(first)))) {
    return { command: secondCommand, queue: queuePath(first), used: 2 };
  }
  if (firstCommand?.queue === 'none') return { command: firstCommand, queue: '', used: 1 };
  if (firstCommand !== undefined && defaultQueue !== '') return { command: firstCommand, queue: defaultQueue, used: 1 };
  if (firstCommand !== undefined && secondCommand !== undefined) {
    return { command: secondCommand, queue: first, used: 2 };
  }
  throw notNamed(first, second, defaultQueue);
}

function queuePath(word: string): string {
  if (word !== '') return word;
  throw new RqError('USAGE', 'the name of the queue is empty: give the path of the queue, as in rq ./q list');
}

function isQueue(path: string): boolean {
  return existsSync(join(path, 'db'));
}

function notNamed(first: string, second: string | undefined, defaultQueue: string): Error {
  const command = findCommand(first);
  // A short name that is followed by another word is more likely a queue.
  if (command !== undefined && (command.name === first || second === undefined) && !isQueue(first)) {
    const { name } = command;
    return new RqError('USAGE', `${name} needs a queue: type rq QUEUE ${name}, or set RQ_Q to the path of the queue`);
  }
  if (defaultQueue !== '') return new UnknownCommand([second !== undefined && isQueue(first) ? second : first], false);
  const others = second === undefined ? [] : [second];
  return existsSync(first) && second !== undefined
    ? new UnknownCommand(others, false)
    : new UnknownCommand([first, ...others], true);
}

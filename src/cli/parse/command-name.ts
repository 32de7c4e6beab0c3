import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../../job/errors.ts';
import type { ModeSpec } from './command-spec.ts';
import { findMode, MODES } from './command-table.ts';
import { nearest } from './suggestions.ts';
import { mistypedMode, unknownMode } from './unknown-command.ts';

/** Which mode, on which queue, and how many of the words said so. */
export interface NamedMode {
  readonly mode: ModeSpec;
  readonly queue: string;
  readonly used: number;
}

/**
 * Finds mode and queue in words that are no options: `QUEUE MODE …`, or `MODE …` where RQ_Q or RQ_QUEUE names the
 * queue. A first word that is both a mode and a queue's directory is the queue if a mode follows. Throws USAGE.
 */
export function nameMode(words: readonly string[], environment: NodeJS.ProcessEnv): NamedMode {
  const [first = '', second] = words;
  const firstMode = findMode(first);
  const secondMode = findMode(second);
  const standing = environment['RQ_Q'] || environment['RQ_QUEUE'] || '';
  const needsNone = firstMode?.queue === 'none';
  if (secondMode !== undefined && (firstMode === undefined || (first !== 'help' && isQueue(first)))) {
    return { mode: secondMode, queue: queuePath(first), used: 2 };
  }
  if (firstMode !== undefined && needsNone) return { mode: firstMode, queue: '', used: 1 };
  if (firstMode !== undefined && standing !== '') return { mode: firstMode, queue: standing, used: 1 };
  if (secondMode !== undefined && firstMode !== undefined) return { mode: secondMode, queue: first, used: 2 };
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
  const mode = findMode(first);
  // A short form is more likely the name of a queue when more follows.
  if (mode !== undefined && (mode.name === first || second === undefined) && !isQueue(first)) {
    const { name } = mode;
    return new RqError('USAGE', `${name} needs a queue: type rq QUEUE ${name}, or set RQ_Q to the queue's path`);
  }
  const isLikeMode =
    second !== undefined &&
    nearest(
      second,
      MODES.map(({ name }) => name),
    ) !== undefined;
  const mistyped = standing === '' && !isLikeMode && !existsSync(first) ? mistypedMode(first, MODES) : undefined;
  if (mistyped !== undefined) return mistyped;
  if (second !== undefined) return unknownMode(standing !== '' && !isQueue(first) ? first : second, MODES);
  if (standing !== '') return unknownMode(first, MODES);
  return new RqError('USAGE', `what to do with ${first}? Type rq ${first} MODE; rq help lists the modes`);
}

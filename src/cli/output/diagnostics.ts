import { appendFileSync, writeSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';
import { printableLine } from '../../job/printable.ts';
import type { Diagnostics } from '../parse/command-call.ts';
import { isTerminal } from './terminal.ts';

const LEVELS = { fatal: 0, error: 1, warn: 2, info: 3, debug: 4 } as const;
const DEFAULT_VERBOSITY = LEVELS.info;
/** SGR parameters (ECMA-48, 8.3.117). */
const COLOURS = { fatal: 31, error: 31, warn: 33, info: undefined, debug: undefined } as const;

/** Diagnostics on stderr, each line behind `rq: `, in colour on a terminal, and in the log file if there is one. */
export function standardDiagnostics(
  environment: NodeJS.ProcessEnv,
  verbosity = DEFAULT_VERBOSITY as number,
  log?: string,
): Diagnostics {
  const say = (level: keyof typeof LEVELS, line: string): void => {
    if (LEVELS[level] > verbosity) return;
    const text = printableLine(line);
    const colour = COLOURS[level];
    const isColoured = colour !== undefined && wantsColour(2, environment);
    writeQuietly(() => writeSync(2, `${isColoured ? `\u001b[${colour}mrq:\u001b[39m` : 'rq:'} ${text}\n`));
    if (log === undefined) return;
    writeQuietly(() => appendFileSync(log, `${new Date().toISOString()} ${level} ${text}\n`));
  };
  return {
    verbosity,
    fatal: (line) => say('fatal', line),
    error: (line) => say('error', line),
    warn: (line) => say('warn', line),
    info: (line) => say('info', line),
    debug: (line) => say('debug', line),
  };
}

/** True where what is written to stdout (1) or stderr (2) is to be coloured: see no-color.org; a terminal may be dumb. */
export function wantsColour(descriptor: 1 | 2, environment: NodeJS.ProcessEnv): boolean {
  const terminal = environment['TERM'] ?? '';
  return !environment['NO_COLOR'] && terminal !== '' && terminal !== 'dumb' && isTerminal(descriptor);
}

function writeQuietly(write: () => void): void {
  try {
    write();
  } catch (error) {
    // A closed stderr, a busy terminal or a full disk must not make the command fail.
    if (errorCode(error) === undefined) throw error;
  }
}

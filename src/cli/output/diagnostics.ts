import { appendFileSync, writeSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';
import { printableLine } from '../../job/printable.ts';
import type { Diagnostics } from '../parse/command-call.ts';
import { inColour, wantsColour } from './colour.ts';

const LEVELS = { fatal: 0, error: 1, warn: 2, info: 3, debug: 4 } as const;
const DEFAULT_VERBOSITY = LEVELS.info;
const COLOURS = { fatal: 'red', error: 'red', warn: 'yellow', info: undefined, debug: undefined } as const;

/** Writes diagnostics to stderr with the prefix `rq: `, in colour on a terminal, and to the log file if there is one. */
export function standardDiagnostics(
  environment: NodeJS.ProcessEnv,
  verbosity = DEFAULT_VERBOSITY as number,
  log?: string,
): Diagnostics {
  const write = (level: keyof typeof LEVELS, line: string): void => {
    if (LEVELS[level] > verbosity) return;
    const text = printableLine(line);
    const colour = COLOURS[level];
    const isColoured = colour !== undefined && wantsColour(2, environment);
    writeQuietly(() => writeSync(2, `${isColoured ? inColour('rq:', colour) : 'rq:'} ${text}\n`));
    if (log === undefined) return;
    writeQuietly(() => appendFileSync(log, `${new Date().toISOString()} ${level} ${text}\n`));
  };
  return {
    verbosity,
    fatal: (line) => write('fatal', line),
    error: (line) => write('error', line),
    warn: (line) => write('warn', line),
    info: (line) => write('info', line),
    debug: (line) => write('debug', line),
  };
}

function writeQuietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    // A closed stderr, a busy terminal or a full disk must not make the command fail.
    if (errorCode(error) === undefined) throw error;
  }
}

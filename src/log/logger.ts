import { mkdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type DestinationStream, type Logger, pino } from 'pino';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import { terminalLine } from './lines.ts';

export type { Logger } from 'pino';

export type Verbosity = 0 | 1 | 2 | 3 | 4;
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug'] as const;

export interface LogOptions {
  readonly verbosity: Verbosity;
  /** The absolute path of the log file. The default is stderr. */
  readonly path?: string | undefined;
  readonly age?: 'daily' | 'weekly' | 'monthly' | undefined;
  /** The size in bytes at which the file is rotated. */
  readonly size?: number | undefined;
}

const INTERVALS = { daily: '1d', weekly: '7d', monthly: '1M' } as const;
const KEPT_FILES = 10;

/** Opens a log: JSON lines in a file that is rotated by age and size, or formatted lines on stderr. */
export function openLog(options: LogOptions): Logger {
  const settings = { level: LEVELS[options.verbosity], base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const { path } = options;
  return pino(settings, path === undefined ? toStderr() : toFile(path, options));
}

/** Ignores write errors: a closed terminal or pipe must not end a daemon. */
function toStderr(): DestinationStream {
  process.stderr.on('error', () => undefined);
  return { write: (line) => void process.stderr.write(terminalLine(line)) };
}

/** Ignores write errors, such as a full disk, and resumes the log when the file can be written again. */
function toFile(path: string, { age, size }: LogOptions): DestinationStream {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const open = (): RotatingFileStream => {
    const stream = createStream(basename(path), {
      path: dirname(path),
      maxFiles: KEPT_FILES,
      ...(age === undefined ? {} : { interval: INTERVALS[age] }),
      ...(size === undefined ? {} : { size: `${size}B` as const }),
    });
    return stream.on('error', () => undefined);
  };
  let stream = open();
  return {
    write: (line) => {
      // The stream destroys itself at the first error.
      if (stream.destroyed) stream = open();
      stream.write(line);
    },
  };
}

import { basename, dirname } from 'node:path';
import { type DestinationStream, type Logger, pino } from 'pino';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import { errorCode, RqError } from '../job/errors.ts';
import { fileFault } from '../job/file-errors.ts';
import { terminalLine } from './lines.ts';
import { makeDirectories } from './make-directories.ts';

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

/** Creates the directory of a log file. Throws NOT_ALLOWED, NO_SPACE or IO. */
export function makeLogDirectory(path: string): void {
  try {
    makeDirectories(dirname(path));
  } catch (error) {
    const { code, reason } = fileFault(error);
    const message = `cannot create the log directory ${dirname(path)}: ${reason}; name another log with --log, or another directory with --dot_rq_dir`;
    throw new RqError(code, message, { cause: error });
  }
}

/** Ignores write errors, such as a full disk, and resumes the log when the file can be written again. */
function toFile(path: string, { age, size }: LogOptions): DestinationStream {
  makeLogDirectory(path);
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
  const reopen = (): void => {
    try {
      // If the directory is missing, the stream would create it with the recursive mkdir of Node.
      makeDirectories(dirname(path));
      stream = open();
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
    }
  };
  return {
    write: (line) => {
      // The stream destroys itself at the first error.
      if (stream.destroyed) reopen();
      stream.write(line);
    },
  };
}

import { mkdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type DestinationStream, type Logger, pino } from 'pino';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import { lineForPeople } from './lines.ts';

export type { Logger } from 'pino';

export type Verbosity = 0 | 1 | 2 | 3 | 4;
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug'] as const;

export interface LogOptions {
  readonly verbosity: Verbosity;
  /** A file, absolute; without one the log goes to stderr. */
  readonly path?: string | undefined;
  readonly age?: 'daily' | 'weekly' | 'monthly' | undefined;
  /** Bytes after which the file is rotated. */
  readonly size?: number | undefined;
}

const INTERVALS = { daily: '1d', weekly: '7d', monthly: '1M' } as const;
const KEPT_FILES = 10;

/** A log: JSON lines in a file that is rotated by age and size, or lines for people on stderr. */
export function openLog(options: LogOptions): Logger {
  const settings = { level: LEVELS[options.verbosity], base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const { path } = options;
  return pino(settings, path === undefined ? toStderr() : toFile(path, options));
}

/** A terminal that was closed, or a pipe that nobody reads, must not end a daemon for the sake of its log. */
function toStderr(): DestinationStream {
  process.stderr.on('error', () => undefined);
  return { write: (line) => void process.stderr.write(lineForPeople(line)) };
}

/** Nor must a full disk; when it has room again the log goes on. */
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
      // The stream ends itself at the first failure.
      if (stream.destroyed) stream = open();
      stream.write(line);
    },
  };
}

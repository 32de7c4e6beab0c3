import { mkdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type Logger, pino } from 'pino';
import { createStream } from 'rotating-file-stream';
import { lineForPeople } from './lines.ts';

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
  if (path === undefined)
    return pino(settings, { write: (line: string) => void process.stderr.write(lineForPeople(line)) });
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const stream = createStream(basename(path), {
    path: dirname(path),
    maxFiles: KEPT_FILES,
    ...(options.age === undefined ? {} : { interval: INTERVALS[options.age] }),
    ...(options.size === undefined ? {} : { size: `${options.size}B` as const }),
  });
  // A full disk must not end a daemon for the sake of its log.
  stream.on('error', () => undefined);
  return pino(settings, stream);
}

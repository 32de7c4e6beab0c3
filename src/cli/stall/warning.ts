import { appendFileSync, writeSync } from 'node:fs';
import { terminalLine, warningLine } from '../../log/lines.ts';
import { standardDiagnostics } from '../output/diagnostics.ts';

/** The destination of warnings, as plain data that can be passed to another thread. */
export interface WarningTarget {
  /** `stderr`: the diagnostics of a command. `log`: a feeder's log, in the file `path` or as text on stderr. */
  readonly kind: 'stderr' | 'log';
  readonly verbosity: number;
  readonly path?: string | undefined;
}

const WARN = 2;

/** Prints a warning, or logs it without the logger, whose thread may be blocked. */
export function warn({ kind, verbosity, path }: WarningTarget, line: string): void {
  if (kind === 'stderr') standardDiagnostics(process.env, verbosity).warn(line);
  else if (verbosity >= WARN) log(path, warningLine(line));
}

function log(path: string | undefined, line: string): void {
  try {
    // In a worker thread, process.stderr writes through the main thread.
    if (path === undefined) writeSync(2, terminalLine(line));
    else appendFileSync(path, line, { mode: 0o600 });
  } catch {
    // A full disk must not end a feeder because of its log.
  }
}

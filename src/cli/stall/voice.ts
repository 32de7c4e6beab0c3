import { appendFileSync, writeSync } from 'node:fs';
import { lineForPeople, warningLine } from '../../log/lines.ts';
import { standardDiagnostics } from '../output/diagnostics.ts';

/** How a process speaks, as plain data that can be handed to another thread. */
export interface Voice {
  /** `diagnostics`: stderr. `log`: a feeder's log, in the file `path` or for people on stderr. */
  readonly kind: 'diagnostics' | 'log';
  readonly verbosity: number;
  readonly path?: string | undefined;
}

const WARN = 2;

/** Says a warning. To a file at once and not through the logger, whose thread may be the one that waits. */
export function warn({ kind, verbosity, path }: Voice, line: string): void {
  if (kind === 'diagnostics') standardDiagnostics(process.env, verbosity).warn(line);
  else if (verbosity < WARN) return;
  else logQuietly(path, warningLine(line));
}

function logQuietly(path: string | undefined, line: string): void {
  try {
    // Not by process.stderr, which in another thread goes by way of the main one.
    if (path === undefined) writeSync(2, lineForPeople(line));
    else appendFileSync(path, line, { mode: 0o600 });
  } catch {
    // A full disk must not end a daemon for the sake of its log.
  }
}

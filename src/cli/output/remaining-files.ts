import type { CommandCall } from '../parse/command-call.ts';

/** At most so many are named. */
const NAMED = 5;

/** Says, in one line, which files of jobs that are not in the queue any more could not be removed from it. */
export function warnOfStayed({ diagnostics, command }: CommandCall, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : '';
  const named = `${paths.slice(0, NAMED).join(', ')}${more}`;
  diagnostics.warn(
    `${command} is done, but this could not be removed: ${named}; see who owns or uses it, then remove it`,
  );
}

import type { CommandCall } from '../parse/command-call.ts';

/** How many paths a warning lists. */
const MAX_LISTED = 5;

/** Warns about files of removed jobs that could not be removed from the queue. */
export function warnRemainingFiles({ diagnostics, command }: CommandCall, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const more = paths.length > MAX_LISTED ? ` and ${paths.length - MAX_LISTED} more` : '';
  const listed = `${paths.slice(0, MAX_LISTED).join(', ')}${more}`;
  diagnostics.warn(
    `${command} succeeded, but could not remove ${listed}; check the owner and the permissions, and then remove the files`,
  );
}

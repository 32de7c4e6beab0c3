import type { RemainingPaths } from '../../queue/files/remove-paths.ts';
import type { CommandCall } from '../parse/command-call.ts';

/** Warns about files of removed jobs that could not be removed from the queue. */
export function warnRemainingFiles({ diagnostics, command }: CommandCall, { count, first }: RemainingPaths): void {
  if (count === 0) return;
  const more = count > first.length ? ` and ${count - first.length} more` : '';
  const listed = `${first.join(', ')}${more}`;
  diagnostics.warn(
    `${command} succeeded, but could not remove ${listed}; check the owner and the permissions, and then remove the files`,
  );
}
